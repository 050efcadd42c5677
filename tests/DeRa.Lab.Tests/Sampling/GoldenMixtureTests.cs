using System.Runtime.InteropServices;
using System.Text.Json;
using DeRa.Lab.Models;
using DeRa.Lab.Sampling;
using DeRa.Testing;
using Xunit;
using static TorchSharp.torch;

namespace DeRa.Lab.Tests.Sampling;

/// <summary>The Lab's mixture against the float64 results that the server's is held to.</summary>
public sealed class GoldenMixtureTests
{
    private const string Folder = "pair/mix-sft-aligned";
    private const int Vocabulary = 300;

    public static TheoryData<string, double> Cases { get; } = new(
        from prompt in (string[])["len7", "len33"] from strength in (double[])[-0.5, 0, 0.3, 1, 1.7, 5] select (prompt, strength));

    [Theory, MemberData(nameof(Cases))]
    public void Mixed_logits_equal_the_golden_ones_token_by_token(string prompt, double strength)
    {
        var (tokens, promptTokens, expected) = Golden(prompt, strength);
        using var pair = new Pair(strength);
        var caches = pair.Mixture.Parts.Select(part => part.Model.CreateCache(1, tokens.Length)).ToArray();
        using var scope = NewDisposeScope();
        var read = tensor(tokens).unsqueeze(0);
        for (var (position, count, row) = (0, promptTokens, 0); position < tokens.Length; position += count, count = 1, row++)
        {
            var input = read.narrow(1, position, count);
            var mixed = pair.Mixture.Parts.Zip(caches, (part, cache) => part.Model.Step(input, cache).to(ScalarType.Float64) * part.Weight)
                .Aggregate((sum, logits) => sum + logits);
            var difference = mixed.log_softmax(-1).squeeze(0) - tensor(expected[(row * Vocabulary)..((row + 1) * Vocabulary)]);
            Assert.InRange(difference.abs().max().item<double>(), 0, 1e-4 * (Math.Abs(strength) + Math.Abs(1 - strength)));
        }
        Array.ForEach(caches, cache => cache.Dispose());
    }

    [Theory]
    [InlineData(0.3)]
    [InlineData(1.7)]
    public void Tokens_are_drawn_with_the_golden_probabilities(double strength)
    {
        const int draws = 6000;
        var (tokens, promptTokens, expected) = Golden("len7", strength);
        using var pair = new Pair(strength);
        int[] prompt = [.. tokens.Take(promptTokens).Select(token => (int)token)];
        var counts = new int[Vocabulary];
        foreach (var text in Sampler.Sample(
            pair.Mixture, [.. Enumerable.Repeat(prompt, draws)], endToken: -1, maxTokens: 1, seed: 1,
            cancellation: TestContext.Current.CancellationToken)) counts[text.Tokens[0]]++;
        Assert.InRange(ChiSquare.Excess([.. expected.Take(Vocabulary).Select(Math.Exp)], counts), double.NegativeInfinity, 6);
    }

    /// <summary>What is read, how much of it is prompt, and log-probabilities after the prompt and each token that follows.</summary>
    private static (long[] Tokens, int PromptTokens, double[] LogProbs) Golden(string prompt, double strength)
    {
        using var json = JsonDocument.Parse(File.ReadAllText(GoldenData.Committed($"{Folder}/mix.json")));
        var found = json.RootElement.GetProperty("cases").EnumerateArray().Single(candidate =>
            candidate.GetProperty("prompt").GetString() == prompt && candidate.GetProperty("lambda").GetDouble() == strength);
        var ids = json.RootElement.GetProperty("prompts").GetProperty(prompt).GetProperty("input_ids").Deserialize<long[]>()!;
        var written = found.GetProperty("greedy_ids").Deserialize<long[]>()!;
        var file = GoldenData.Committed($"{Folder}/{found.GetProperty("mixed_logprobs").GetProperty("file").GetString()}");
        return ([.. ids, .. written[..^1]], ids.Length, MemoryMarshal.Cast<byte, double>(File.ReadAllBytes(file)).ToArray());
    }

    private sealed class Pair(double strength) : IDisposable
    {
        public Mixture Mixture { get; } = new(
            TrainableDecoder.Load(GoldenData.Committed("pair/sft"), CPU), TrainableDecoder.Load(GoldenData.Committed("pair/aligned"), CPU),
                strength);

        public void Dispose()
        {
            Mixture.Reference.Dispose();
            Mixture.Aligned.Dispose();
        }
    }
}
