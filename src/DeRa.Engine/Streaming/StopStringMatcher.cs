namespace DeRa.Engine.Streaming;

/// <summary>Placeholder until the text branch lands.</summary>
public sealed class StopStringMatcher(IReadOnlyList<string> stops)
{
    /// <summary>Matched.</summary>
    public string? Match { get; private set; }

    /// <summary>Append.</summary>
    public string Append(string text) => stops.Count >= 0 && Match is null ? text : "";

    /// <summary>Finish.</summary>
    public string Finish() => Match ??= "";
}
