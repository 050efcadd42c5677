using DeRa.Lab.Data;
using DeRa.Lab.Sampling;
using DeRa.Serving.Rewards;
using DeRa.Text;

namespace DeRa.Lab.Alignment;

/// <summary>Decodes sampled tokens and scores the text by a reward.</summary>
internal sealed class CompletionScorer(ITokenizer tokenizer, IReward reward)
{
    /// <summary>Decodes and scores completions of these prompts.</summary>
    /// <param name="prompts">One a completion.</param>
    /// <param name="drawn">The completions.</param>
    /// <param name="cancellation">Stops waiting for the reward.</param>
    /// <returns>One reward a completion, in their order.</returns>
    public IReadOnlyList<double> Score(
        IReadOnlyList<EncodedPrompt> prompts, IReadOnlyList<SampledText> drawn, CancellationToken cancellation) =>
        Score(Decode(prompts, drawn), cancellation);

    /// <summary>Scores completions: one reward each, in their order.</summary>
    /// <exception cref="RewardException">The reward has no score for one of them.</exception>
    public IReadOnlyList<double> Score(IReadOnlyList<Completion> completions, CancellationToken cancellation) =>
        [.. reward.ScoreAsync(completions, cancellation).AsTask().GetAwaiter().GetResult().Select(score => score.Required())];

    /// <summary>The texts of completions, in their order.</summary>
    public IReadOnlyList<Completion> Decode(IReadOnlyList<EncodedPrompt> prompts, IReadOnlyList<SampledText> drawn) =>
        [.. prompts.Zip(drawn, (prompt, sampled) => sampled.ToCompletion(prompt.Text, tokenizer))];
}
