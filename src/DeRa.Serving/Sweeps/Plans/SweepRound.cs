namespace DeRa.Serving.Sweeps.Plans;

/// <summary>What runs before the next decision.</summary>
/// <param name="Units">What runs, in order.</param>
/// <param name="Title">What it is, in a line for people; empty = it is the only round.</param>
public sealed record SweepRound(IReadOnlyList<SweepUnit> Units, string Title);
