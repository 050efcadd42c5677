using DeRa.Lab.Sampling;
using static TorchSharp.torch;

namespace DeRa.Lab.Alignment;

/// <summary>Prompts with their completions as one tensor, padded on the right.</summary>
/// <param name="Tokens">[completions, longest], int64.</param>
/// <param name="Mask">[completions, longest − 1], bool: whether column t's next token belongs to the completion.</param>
internal sealed record SampledBatch(Tensor Tokens, Tensor Mask)
{
    /// <summary>Lays out completions; the tensors belong to the caller's scope.</summary>
    public static SampledBatch Of(IReadOnlyList<SampledText> drawn, int padding, Device device)
    {
        var longest = drawn.Max(text => text.Prompt.Length + text.Tokens.Length);
        var (tokens, mask) = (new long[drawn.Count, longest], new bool[drawn.Count, longest - 1]);
        for (var row = 0; row < drawn.Count; row++)
        {
            var (prompt, completion) = (drawn[row].Prompt, drawn[row].Tokens);
            for (var i = 0; i < longest; i++)
            {
                var inCompletion = i - prompt.Length;
                tokens[row, i] = inCompletion < 0 ? prompt[i] : inCompletion < completion.Length ? completion[inCompletion] : padding;
                if (i > 0) mask[row, i - 1] = inCompletion >= 0 && inCompletion < completion.Length;
            }
        }
        return new SampledBatch(from_array(tokens).to(device), from_array(mask).to(device));
    }
}
