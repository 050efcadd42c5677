using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using DeRa.Hosting.Options;

namespace DeRa.Hosting.Security;

/// <summary>Who may send requests, and how many.</summary>
public sealed record ApiKeyOptions
{
    /// <summary>File of API keys.</summary>
    [Description("File of API keys, one a line: NAME HASH, then rate=N/min and concurrent=N where that key's limits differ; "
        + "'dera key NAME' makes a key and its line. Read again when it changes. Where there are keys, everything but /livez, /readyz, "
        + "/health and the page at / needs one."), Option(Placeholder = "FILE", DefaultText = "no keys")]
    public string? ApiKeys { get; init; }

    /// <summary>One API key.</summary>
    [Description("One API key, under the name 'default', beside those of the file; at least 16 characters."), Option(Placeholder = "KEY")]
    public Secret? ApiKey { get; init; }

    /// <summary>Counted requests of a key in a minute; null = any number.</summary>
    [Description("Requests that generate, tokenize or detokenize which a key may send in a minute; without keys, all clients together."),
        Range(1, RequestLimiting.MaxLimit), Option(DefaultText = "any number")]
    public int? MaxRequestsPerMinute { get; init; }

    /// <summary>Counted requests of a key at once; null = any number.</summary>
    [Description("Requests that generate, tokenize or detokenize which a key may have under way at once; without keys, all clients "
        + "together."), Range(1, RequestLimiting.MaxLimit), Option(DefaultText = "any number")]
    public int? MaxConcurrentRequests { get; init; }
}
