using DeRa.Lab.Data;
using DeRa.Lab.Rewards;
using DeRa.Lab.Sampling;
using DeRa.Text;

namespace DeRa.Lab.Alignment;

/// <summary>Decodes sampled tokens and scores the text by a reward.</summary>
internal sealed class CompletionScorer(ITokenizer tokenizer, IReward reward)
{
    /// <summary>Scores completions of these prompts.</summary>
    /// <param name="prompts">One a completion.</param>
    /// <param name="drawn">The completions.</param>
    /// <param name="cancellation">Stops waiting for the reward.</param>
    /// <returns>One reward a completion, in their order.</returns>
    public IReadOnlyList<double> Score(
        IReadOnlyList<EncodedPrompt> prompts, IReadOnlyList<SampledText> drawn, CancellationToken cancellation) =>
        reward.ScoreAsync([.. prompts.Zip(drawn, Describe)], cancellation).AsTask().GetAwaiter().GetResult();

    private Completion Describe(EncodedPrompt prompt, SampledText drawn)
    {
        var tokens = drawn.Finished ? drawn.Tokens[..^1] : drawn.Tokens;
        var decoder = tokenizer.CreateDecoder(continuesText: true);
        return new Completion(prompt.Text, string.Concat(tokens.Select(decoder.Append)) + decoder.Finish(), tokens.Length, drawn.Finished);
    }
}
