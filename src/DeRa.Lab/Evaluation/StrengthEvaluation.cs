using System.Text.Json.Serialization;
using DeRa.Lab.Alignment;
using DeRa.Lab.Data;
using DeRa.Lab.Reports;
using DeRa.Lab.Sampling;
using DeRa.Serving.Rewards;

namespace DeRa.Lab.Evaluation;

/// <summary>Reward and length of a mixture's completions of given prompts.</summary>
/// <param name="Reward">Mean reward, with a bootstrap interval over prompts.</param>
/// <param name="Tokens">Mean length in tokens, end token not counted.</param>
/// <param name="Rewards">One a completion: prompts in order, <see cref="CompletionsPerPrompt"/> of each.</param>
/// <param name="CompletionsPerPrompt">Completions of each prompt.</param>
internal sealed record StrengthEvaluation(Interval Reward, Interval Tokens, IReadOnlyList<double> Rewards, int CompletionsPerPrompt)
{
    private const int RowsAtOnce = 512;

    /// <summary>The completions, in the order of <see cref="Rewards"/>.</summary>
    [JsonIgnore]
    public IReadOnlyList<Completion> Completions { get; init; } = [];

    /// <summary>Samples and scores.</summary>
    /// <param name="mixture">The mixture.</param>
    /// <param name="prompts">Prompts; at least 2 for an interval.</param>
    /// <param name="completions">Completions of each.</param>
    /// <param name="scorer">The reward.</param>
    /// <param name="endToken">Ends a completion.</param>
    /// <param name="maxTokens">Longest completion.</param>
    /// <param name="seed">Determines the samples.</param>
    /// <param name="kept">Holds the parts of earlier runs, and receives the others; null = none are kept.</param>
    /// <param name="progress">Shows the progress; may be null.</param>
    /// <param name="cancellation">Stops sampling and waiting for the reward.</param>
    public static StrengthEvaluation Run(Mixture mixture, IReadOnlyList<EncodedPrompt> prompts, int completions, CompletionScorer scorer,
        int endToken, int maxTokens, long seed, EvaluationFile? kept = null, EvaluationProgress? progress = null,
        CancellationToken cancellation = default)
    {
        var rows = prompts.SelectMany(prompt => Enumerable.Repeat(prompt, completions)).ToArray();
        var (rewards, texts) = (new List<double>(rows.Length), new List<Completion>(rows.Length));
        foreach (var part in rows.Chunk(RowsAtOnce))
        {
            cancellation.ThrowIfCancellationRequested();
            var old = kept?.Find(mixture.Strength, rewards.Count);
            var result = old ?? Draw(part, rewards.Count);
            if (old is null) kept?.Add(result);
            rewards.AddRange(result.Rewards);
            texts.AddRange(part.Select((prompt, i) =>
                new Completion(prompt.Text, result.Texts[i], result.Tokens[i], result.Finished[i])));
            progress?.Finished(mixture.Strength, isOld: old is not null);
        }
        return new StrengthEvaluation(ByPrompt(rewards, completions),
            ByPrompt([.. texts.Select(text => (double)text.Tokens)], completions), rewards, completions)
        {
            Completions = texts,
        };

        EvaluationPart Draw(EncodedPrompt[] part, int first)
        {
            var drawn = Sampler.Sample(mixture, [.. part.Select(prompt => prompt.Tokens)], endToken, maxTokens, seed + first,
                tokens => progress?.Drawn(mixture.Strength, tokens), cancellation);
            var written = scorer.Decode(part, drawn);
            return new EvaluationPart(mixture.Strength, first, scorer.Score(written, cancellation),
                [.. written.Select(text => text.Tokens)], [.. written.Select(text => text.Finished)],
                [.. written.Select(text => text.Text)]);
        }
    }

    /// <summary>How many parts an evaluation has at one strength.</summary>
    public static int Parts(int prompts, int completions) => (prompts * completions + RowsAtOnce - 1) / RowsAtOnce;

    /// <summary>A mean's interval, with whole prompts resampled: completions of one prompt are correlated.</summary>
    public static Interval ByPrompt(IReadOnlyList<double> values, int completions) =>
        Bootstrap.ClusterMeanInterval([.. values.Chunk(completions)]);
}
