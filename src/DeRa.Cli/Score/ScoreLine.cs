using DeRa.Serving.Scoring;

namespace DeRa.Cli.Score;

/// <summary>What one line of a file asks to be scored.</summary>
/// <param name="Number">The line, from 1.</param>
/// <param name="Items">One text; or the chosen one and the rejected one.</param>
internal sealed record ScoreLine(int Number, IReadOnlyList<ScoreItem> Items);
