using DeRa.Serving.Rewards;
using DeRa.Text;
using static TorchSharp.torch;

namespace DeRa.Lab.Sampling;

/// <summary>
/// Samples completions of many prompts in one batch, at the mixture's temperature and min-p: at 1 and 0 exactly from the
/// mixture, which the objectives and the paper's identity need. Rows advance token by token; longer prompts are fed until they end.
/// </summary>
internal static class Sampler
{
    /// <summary>Samples one completion for each prompt.</summary>
    /// <param name="mixture">What to sample from.</param>
    /// <param name="prompts">Token ids; from 1 to the context's length each.</param>
    /// <param name="endToken">Ends a completion, and is part of it.</param>
    /// <param name="maxTokens">Most tokens of a completion; it ends earlier at the end of the context.</param>
    /// <param name="seed">The same seed gives the same completions; on another device up to the rounding of logits.</param>
    /// <param name="onToken">Called after each token with how many of them every row has read or sampled; may be null.</param>
    /// <param name="cancellation">Stops between two tokens.</param>
    /// <exception cref="LabException">A prompt is empty or longer than the context.</exception>
    public static IReadOnlyList<SampledText> Sample(
        Mixture mixture, IReadOnlyList<int[]> prompts, int endToken, int maxTokens, long seed,
        Action<int>? onToken = null, CancellationToken cancellation = default)
    {
        var context = mixture.ContextTokens;
        if (prompts.FirstOrDefault(prompt => prompt.Length < 1 || prompt.Length > context) is { } wrong)
            throw new LabException($"a prompt has {wrong.Length} tokens; the models' context allows 1 to {context}.");
        var longest = Math.Min(context, prompts.Max(prompt => prompt.Length) + maxTokens);
        using var scope = NewDisposeScope();
        using var gradientsOff = no_grad();
        using var batch = new SamplerBatch(mixture, prompts, endToken, maxTokens, longest, seed);
        while (batch.Step())
        {
            cancellation.ThrowIfCancellationRequested();
            onToken?.Invoke(batch.Position);
        }
        return batch.Results;
    }
}

/// <summary>A prompt and its sampled completion.</summary>
/// <param name="Prompt">The prompt's token ids.</param>
/// <param name="Tokens">The completion's token ids, its end token included if it was sampled.</param>
/// <param name="Finished">Whether it ended by its end token rather than by the length limit.</param>
internal sealed record SampledText(int[] Prompt, int[] Tokens, bool Finished)
{
    /// <summary>The completion's text, without its end token.</summary>
    /// <param name="tokenizer">Of the model.</param>
    /// <param name="continuesText">Whether text precedes it, so that a space at its beginning counts.</param>
    public string Decode(ITokenizer tokenizer, bool continuesText)
    {
        var decoder = tokenizer.CreateDecoder(continuesText);
        return string.Concat((Finished ? Tokens[..^1] : Tokens).Select(decoder.Append)) + decoder.Finish();
    }

    /// <summary>The completion with its text.</summary>
    /// <param name="prompt">The prompt's text.</param>
    /// <param name="tokenizer">Of the model.</param>
    public Completion ToCompletion(string prompt, ITokenizer tokenizer) =>
        new(prompt, Decode(tokenizer, continuesText: prompt.Length > 0), Tokens.Length - (Finished ? 1 : 0), Finished);
}
