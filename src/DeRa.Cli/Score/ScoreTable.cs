using System.Globalization;
using DeRa.Serving.Scoring;

namespace DeRa.Cli.Score;

/// <summary>The columns of a CSV file of scores, and its lines.</summary>
/// <param name="Header">The first line.</param>
/// <param name="Lines">The lines of a line that is scored, one a strength.</param>
internal sealed record ScoreTable(string Header, Func<ScoredLine, IEnumerable<string>> Lines)
{
    /// <summary>Scores of single texts.</summary>
    /// <param name="labels">The strengths.</param>
    /// <param name="aligned">The aligned models' names.</param>
    public static ScoreTable OfItems(IReadOnlyList<string> labels, IReadOnlyList<string> aligned) => new(
        $"line,alignment_strength,tokens,logprob,perplexity,kl_to_reference,logprob_reference,{Joined(aligned.Select(OfModel))}",
        scored => labels.Select((label, i) => $"{scored.Number},{label}," + Row(scored.Items[0], i, aligned.Count)));

    /// <summary>Both texts of pairs, with the log-probability of each and what it is above the reference model's own.</summary>
    /// <param name="labels">The strengths.</param>
    public static ScoreTable OfPreferences(IReadOnlyList<string> labels) => new(
        "line,alignment_strength,tokens_chosen,tokens_rejected,logprob_chosen,logprob_rejected,reward_chosen,reward_rejected",
        scored => labels.Select((label, i) =>
        {
            var (chosen, rejected) = (scored.Items[0], scored.Items[1]);
            return $"{scored.Number},{label},{chosen.Tokens.Count},{rejected.Tokens.Count},"
                + Joined([Text(chosen.LogProb(i)), Text(rejected.LogProb(i)), Text(Reward(chosen)), Text(Reward(rejected))]);

            // The reference model itself has no reward; two sums of the same numbers may differ in their last digits.
            double Reward(ItemScores text) =>
                scored.Prepared.Strengths[i].Count == 0 ? 0 : text.LogProb(i) - text.LogProbOfModel(0);
        }));

    private static string Row(ItemScores item, int strength, int aligned) => $"{item.Tokens.Count}," + Joined(
    [
        Text(item.LogProb(strength)), Text(item.Perplexity(strength)), Text(item.KlToReference(strength)),
        .. Enumerable.Range(0, aligned + 1).Select(model => Text(item.LogProbOfModel(model))),
    ]);

    private static string OfModel(string name) => $"logprob_{name}";

    private static string Joined(IEnumerable<string> cells) => string.Join(',', cells);

    private static string Text(double number) => number.ToString("R", CultureInfo.InvariantCulture);
}
