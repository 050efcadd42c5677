using DeRa.Serving.Rewards;

namespace DeRa.Lab.Evaluation;

/// <summary>
/// How good a story is, independently of the rewards that models are trained for: VADER's compound score, less 10 times the share of
/// malformed words and 2 times the share of repeated runs of four words.
/// </summary>
/// <remarks>
/// The weights say when a text is worth nothing, whatever its mood, for which VADER gives at most 1: when one word in ten is none, or
/// when every other run of words has been read before.
/// </remarks>
internal sealed class GoldMeasure(VaderLexicon vader, KnownWords known)
{
    private const double MalformedWeight = 10, RepeatedWeight = 2;

    /// <summary>Measures a completion.</summary>
    public GoldScores Of(Completion completion)
    {
        var words = WholeWords.Of(completion);
        var (compound, malformed, repeated) = (vader.Compound(words), known.UnknownShare(words), RepeatedWords.Share(words));
        return new GoldScores(
            compound - MalformedWeight * malformed - RepeatedWeight * repeated, compound, malformed, repeated);
    }
}

/// <summary>What a story is worth, and the parts of that.</summary>
/// <param name="Gold">All together; at most 1.</param>
/// <param name="Vader">How positive it is, in (−1, 1).</param>
/// <param name="Malformed">The share of words that are in no list.</param>
/// <param name="Repeated">The share of runs of four words that occurred before in the story.</param>
internal readonly record struct GoldScores(double Gold, double Vader, double Malformed, double Repeated);
