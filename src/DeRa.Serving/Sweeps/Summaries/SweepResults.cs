namespace DeRa.Serving.Sweeps.Summaries;

/// <summary>All rows of a sweep, by place.</summary>
/// <param name="Strengths">Rising.</param>
/// <param name="Samples">Completions of a prompt at a strength.</param>
/// <param name="Rewards">The rewards' names; the first is the one that is optimised.</param>
/// <param name="Rows">Prompt by prompt, of each strength by strength, of each its samples.</param>
public sealed record SweepResults(
    IReadOnlyList<double> Strengths, int Samples, IReadOnlyList<string> Rewards, IReadOnlyList<SweepRow> Rows)
{
    /// <summary>Whether the mixture itself drew all tokens: at temperature 1, without filters.</summary>
    public bool AreDrawnByMixture { get; init; } = true;

    /// <summary>Prompts.</summary>
    public int PromptCount => Rows.Count / (Strengths.Count * Samples);

    /// <summary>The row of a completion.</summary>
    public SweepRow Row(int prompt, int strength, int sample) => Rows[(prompt * Strengths.Count + strength) * Samples + sample];

    /// <summary>All rows of a strength.</summary>
    /// <param name="strength">Its place.</param>
    public IEnumerable<SweepRow> At(int strength) =>
        Enumerable.Range(0, PromptCount).SelectMany(prompt => Of(prompt, strength));

    /// <summary>The rows of a prompt at a strength.</summary>
    public IEnumerable<SweepRow> Of(int prompt, int strength) =>
        Enumerable.Range(0, Samples).Select(sample => Row(prompt, strength, sample));

    /// <summary>The place of the strength with which others are compared: 1, else the nearest to it.</summary>
    public int Baseline => Enumerable.Range(0, Strengths.Count).MinBy(i => Math.Abs(Strengths[i] - 1));

    /// <summary>The place of strength 0; null = it is not among them.</summary>
    public int? Reference => PlaceOf(0);

    /// <summary>The place of strength 1; null = it is not among them.</summary>
    public int? Aligned => PlaceOf(1);

    private int? PlaceOf(double strength) =>
        Enumerable.Range(0, Strengths.Count).Where(i => Strengths[i] == strength).Select(i => (int?)i).FirstOrDefault();
}
