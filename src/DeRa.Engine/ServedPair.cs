using DeRa.Engine.Requests;
using DeRa.Engine.Text;

namespace DeRa.Engine;

/// <summary>A pair of models that is loaded and serves: what every door needs of it.</summary>
public sealed record ServedPair
{
    /// <summary>The names under which it is served.</summary>
    public required ServedNames Names { get; init; }

    /// <summary>The tokenizer of both models.</summary>
    public required ITokenizer Tokenizer { get; init; }

    /// <summary>The validator behind every door.</summary>
    public required RequestValidator Validator { get; init; }

    /// <summary>Runs the requests.</summary>
    public required GenerationEngine Engine { get; init; }

    /// <summary>When it was loaded.</summary>
    public required DateTimeOffset LoadedAt { get; init; }
}
