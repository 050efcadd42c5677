using DeRa.Engine;
using DeRa.Serving.Requests;
using DeRa.Text;

namespace DeRa.Serving;

/// <summary>A pair of models that is loaded and serves: what every transport needs of it.</summary>
public sealed record ServedPair
{
    /// <summary>The names under which it is served.</summary>
    public required ServedNames Names { get; init; }

    /// <summary>The tokenizer of both models.</summary>
    public required ITokenizer Tokenizer { get; init; }

    /// <summary>Checks the requests of every transport.</summary>
    public required RequestValidator Validator { get; init; }

    /// <summary>Runs the requests.</summary>
    public required GenerationEngine Engine { get; init; }

    /// <summary>Its models: the reference model, then the aligned ones.</summary>
    public IReadOnlyList<ServedMember> Members { get; init; } = [];

    /// <summary>When it was loaded.</summary>
    public required DateTimeOffset LoadedAt { get; init; }
}

/// <summary>One model of a pair.</summary>
/// <param name="Name"><c>reference</c>, or the aligned model's name.</param>
/// <param name="Device">Where it lies, such as <c>cpu</c> or <c>cuda:0</c>.</param>
/// <param name="DType">The number format of its weights, such as <c>bfloat16</c>.</param>
/// <param name="WeightBytes">Memory of its own weights; 0 where it shares another member's.</param>
/// <param name="CacheBytes">Memory of its cache.</param>
public sealed record ServedMember(string Name, string Device, string DType, long WeightBytes, long CacheBytes);
