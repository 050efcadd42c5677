using System.Text.Json;
using DeRa.Engine.Requests;

namespace DeRa.Server.Http.Wire;

/// <summary>What an endpoint does with each field that a client may send, so that nothing is ignored unseen.</summary>
/// <param name="read">Fields that work.</param>
/// <param name="unsupported">
/// Fields that clients of this API know and that do not work here, with the values that ask for nothing and so may pass.
/// </param>
internal sealed class FieldTable(IEnumerable<string> read, IReadOnlyDictionary<string, Func<JsonElement, bool>> unsupported)
{
    private readonly HashSet<string> _read = [.. read];
    private readonly string[] _known = [.. read, .. Accepted, .. unsupported.Keys];

    /// <summary>What a field that has the alignment strength in its name, and is not its field, would have to be.</summary>
    private static readonly string[] StrengthWords = ["strength", "alignment", "lambda", "λ"];

    /// <summary>Fields that work.</summary>
    public IReadOnlyCollection<string> Read => _read;

    /// <summary>Fields that do not work here, and so are refused wherever they ask for something.</summary>
    public IEnumerable<string> Unsupported => unsupported.Keys;

    /// <summary>Fields that are taken and change nothing.</summary>
    public IEnumerable<string> WithoutEffect => Accepted.Except(_read);

    /// <summary>Decides about one field: true to read it, false to ignore it and say so.</summary>
    /// <exception cref="InvalidRequestException">A field that does not work here, or one that was probably misspelt.</exception>
    public bool Judge(string name, JsonElement value)
    {
        if (_read.Contains(name)) return true;
        if (Accepted.Contains(name)) return true;
        if (unsupported.TryGetValue(name, out var asksForNothing))
            return value.ValueKind == JsonValueKind.Null || asksForNothing(value) ? true
                : throw new InvalidRequestException(name, $"'{name}' does not work here; leave it out.");
        if (Meant(name) is { } meant)
            throw new InvalidRequestException(name, $"'{name}' is not a field; is '{meant}' meant?");
        return false;
    }

    private string? Meant(string name)
    {
        if (Spelling.Nearest(name, _known) is { } near) return near;
        var words = name.ToLowerInvariant().Split('_', '-', '.');
        return words.Any(word => StrengthWords.Contains(word)) ? "alignment_strength" : null;
    }

    /// <summary>
    /// Fields that change nothing about what is generated: bookkeeping and hints, which a server may take no notice of.
    /// </summary>
    private static readonly HashSet<string> Accepted =
    [
        "user", "store", "metadata", "service_tier", "safety_identifier", "prompt_cache_key", "prompt_cache_options",
        "prompt_cache_retention", "prediction", "verbosity", "reasoning_effort", "parallel_tool_calls", "request_id",
    ];
}
