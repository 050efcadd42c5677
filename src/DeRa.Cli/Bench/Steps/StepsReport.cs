using System.Text.Json.Serialization;

namespace DeRa.Cli.Bench.Steps;

/// <summary>What was measured of a pair.</summary>
internal sealed record StepsReport
{
    /// <summary>What was asked for.</summary>
    public required StepsOptions Options { get; init; }

    /// <summary>The models.</summary>
    public required IReadOnlyList<StepsModel> Models { get; init; }

    /// <summary>CPU threads of a step.</summary>
    public required int Threads { get; init; }

    /// <summary>Bytes a second that so many threads read from memory; null where the models are not on the CPU.</summary>
    public required double? ReadBandwidth { get; init; }

    /// <summary>Decoding, a figure for each context, batch and way.</summary>
    public required IReadOnlyList<DecodeFigure> Decode { get; init; }

    /// <summary>Reading a prompt, a figure for each model and for the pair.</summary>
    public required IReadOnlyList<PrefillFigure> Prefill { get; init; }

    /// <summary>
    /// A step of both models that mixes and samples, over the steps of each by itself up to its logits; null where the models are not on
    /// the CPU.
    /// </summary>
    public required MixedStepFigure? MixedStep { get; init; }

    /// <summary>Scoring a text at many strengths, over scoring it at one.</summary>
    public required ScoringFigure Scoring { get; init; }
}

/// <summary>A model as it was loaded.</summary>
/// <param name="Name"><c>reference</c>, or the aligned model's name.</param>
/// <param name="Folder">Where it was loaded from.</param>
/// <param name="Device">Where it lies.</param>
/// <param name="DType">The number format of its weights.</param>
/// <param name="WeightBytes">Memory of its own weights; 0 where it shares another model's.</param>
internal sealed record StepsModel(
    string Name, string Folder, string Device, [property: JsonPropertyName("dtype")] string DType, long WeightBytes);

/// <summary>Decoding in one way.</summary>
/// <param name="Context">Tokens of each prompt.</param>
/// <param name="Batch">Sequences at once.</param>
/// <param name="Way">Which models ran, and how.</param>
/// <param name="Milliseconds">From a token of a sequence to its next.</param>
/// <param name="TokensPerSecond">Of all sequences.</param>
/// <param name="PassesPerToken">Passes over a model's weights that a token of a sequence takes.</param>
/// <param name="RightGuesses">Share of checked guesses that were right, in [0, 1]; null where none were made.</param>
/// <param name="WeightBytesPerSecond">Bytes of weights that the passes read in a second.</param>
/// <param name="BandwidthShare">That over the measured read bandwidth; null where that is.</param>
internal sealed record DecodeFigure(int Context, int Batch, string Way, double Milliseconds, double TokensPerSecond,
    double PassesPerToken, double? RightGuesses, double WeightBytesPerSecond, double? BandwidthShare);

/// <summary>Reading a prompt in one step, with its first token.</summary>
/// <param name="Way">Which models read it.</param>
/// <param name="Milliseconds">The step's time.</param>
/// <param name="TokensPerSecond">Tokens of the prompt over it.</param>
internal sealed record PrefillFigure(string Way, double Milliseconds, double TokensPerSecond);

/// <summary>A decode step of one sequence.</summary>
/// <param name="Milliseconds">Both models' passes, mixed and sampled.</param>
/// <param name="ModelMilliseconds">Each model's own pass, its logits included.</param>
/// <param name="Ratio">The first over the sum of the others.</param>
internal sealed record MixedStepFigure(double Milliseconds, IReadOnlyList<double> ModelMilliseconds, double Ratio);

/// <summary>Scoring every token of a text after its first, by both models.</summary>
/// <param name="Tokens">Tokens of the text.</param>
/// <param name="Strengths">How many strengths are many.</param>
/// <param name="Milliseconds">At one strength.</param>
/// <param name="ManyMilliseconds">At many.</param>
/// <param name="Ratio">The second over the first.</param>
internal sealed record ScoringFigure(int Tokens, int Strengths, double Milliseconds, double ManyMilliseconds, double Ratio);
