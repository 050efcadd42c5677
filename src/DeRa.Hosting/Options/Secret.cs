namespace DeRa.Hosting.Options;

/// <summary>
/// An option's value that must not be seen: not taken from the command line, which other users can read, and never printed.
/// </summary>
/// <param name="value">The value.</param>
public sealed class Secret(string value)
{
    /// <summary>The value, for what needs it itself; never to be shown.</summary>
    public string Value { get; } = value;

    /// <summary>Not the value.</summary>
    public override string ToString() => "(secret)";
}
