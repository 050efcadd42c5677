using DeRa.Lab.Models;
using static TorchSharp.torch;

namespace DeRa.Lab.Tests.Sampling;

/// <summary>Random decoders of twelve tokens, and what they predict, computed without the sampler.</summary>
internal static class TinyDecoder
{
    public const int Vocabulary = 12, Context = 24;

    /// <summary>A decoder whose logits spread widely enough for tokens to differ in probability.</summary>
    /// <param name="seed">Of its weights.</param>
    /// <param name="sharpness">What the final norm is scaled by; in the thousands the decoder is all but deterministic.</param>
    public static TrainableDecoder Create(long seed, double sharpness = 20)
    {
        var model = TrainableDecoder.Create(
            PlainShape.Of(Vocabulary, hidden: 8, intermediate: 16, layers: 2, heads: 2, Context), seed, CPU);
        using var gradientsOff = no_grad();
        foreach (var (name, weight) in model.Weights)
            if (name == "model.norm.weight") weight.mul_(sharpness);
            // At its initial size the layers would add next to nothing: what came before the last token would not count.
            else if (weight.dim() > 1 && name.Contains("layers", StringComparison.Ordinal)) weight.mul_(20);
        return model;
    }

    /// <summary>Logits after a whole sequence, in float64.</summary>
    public static double[] Logits(TrainableDecoder model, params int[] tokens)
    {
        using var scope = NewDisposeScope();
        using var gradientsOff = no_grad();
        var row = tensor(tokens.Select(token => (long)token).ToArray()).unsqueeze(0);
        return [.. model.Logits(row)[0, tokens.Length - 1].to(ScalarType.Float64).data<double>()];
    }

    /// <summary>softmax(λ·h_aligned + (1 − λ)·h_reference) after a sequence.</summary>
    public static double[] Mixed(TrainableDecoder reference, TrainableDecoder aligned, double strength, params int[] tokens)
    {
        var logits = Logits(reference, tokens).Zip(Logits(aligned, tokens), (r, a) => strength * a + (1 - strength) * r).ToArray();
        var weights = logits.Select(logit => Math.Exp(logit - logits.Max())).ToArray();
        return [.. weights.Select(weight => weight / weights.Sum())];
    }

    /// <summary>What a model of no doubt writes: the likeliest token, one after another.</summary>
    public static int[] Greedy(TrainableDecoder model, int[] prompt, int endToken, int maxTokens)
    {
        var tokens = prompt.ToList();
        while (tokens.Count - prompt.Length < maxTokens && (tokens.Count == prompt.Length || tokens[^1] != endToken))
        {
            var logits = Logits(model, [.. tokens]);
            tokens.Add(Array.IndexOf(logits, logits.Max()));
        }
        return [.. tokens.Skip(prompt.Length)];
    }
}
