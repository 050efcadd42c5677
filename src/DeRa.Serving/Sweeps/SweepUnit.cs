namespace DeRa.Serving.Sweeps;

/// <summary>What runs together: one prompt at some strengths.</summary>
/// <param name="PromptIndex">Which prompt, from 0.</param>
/// <param name="Strengths">The strengths, rising; at least one.</param>
public sealed record SweepUnit(int PromptIndex, IReadOnlyList<double> Strengths);
