using System.Buffers.Binary;
using System.Text.Json.Nodes;
using DeRa.Benchmarks.Pairs;
using DeRa.Engine;
using DeRa.Engine.Requests;
using DeRa.Serving.Loading;
using DeRa.Text.Loading;
using Xunit;

namespace DeRa.Benchmarks.Tests.Pairs;

public class RandomPairTests
{
    private static readonly RandomShape s_shape = new(
        Hidden: 64, Layers: 2, Heads: 4, Intermediate: 160, Vocabulary: 1200, ContextTokens: 64);

    [Fact]
    public async Task A_random_pair_loads_and_writes_tokens()
    {
        using var random = new RandomPair(s_shape);
        var pair = await BenchmarkPair.LoadAsync(
            PairFolders.Choose(random.Reference, [random.Aligned]), new EngineOptions(), TestContext.Current.CancellationToken);
        using var engine = pair.Engine;
        Assert.Equal((1200, 64), (engine.Limits.VocabularySize, engine.Limits.ContextTokens));

        var sequence = engine.Submit([PairRequests.Request([1, 500, 1000], maxTokens: 5)])[0];
        var tokens = 0;
        await foreach (var happened in sequence.Events.ReadAllAsync(TestContext.Current.CancellationToken))
            if (happened is TokenGenerated) tokens++;
        Assert.Equal(5, tokens);
    }

    [Fact]
    public void The_aligned_model_is_the_reference_and_noise()
    {
        using var pair = new RandomPair(s_shape);
        var (reference, aligned) = (Read(pair.Reference), Read(pair.Aligned));
        Assert.Equal(reference.Keys, aligned.Keys);
        foreach (var (name, weights) in reference)
        {
            var noise = weights.Zip(aligned[name], (one, other) => other - one).ToArray();
            if (name.Contains("norm", StringComparison.Ordinal))
            {
                Assert.All(weights, weight => Assert.Equal(1, weight));
                Assert.All(noise, difference => Assert.Equal(0, difference));
                continue;
            }
            // The smallest tensor has 4,096 weights: its deviation is within 5 standard errors, 1.1 % each.
            Assert.InRange(Deviation(weights), .02 * .945, .02 * 1.055);
            Assert.InRange(Deviation(noise), .002 * .945, .002 * 1.055);
        }
    }

    [Fact]
    public void Parameters_are_as_many_as_the_name_says() =>
        Assert.Equal(110, RandomShape.ByName["110m"].Tensors().Sum(tensor => tensor.Shape.Aggregate(1.0, (a, b) => a * b)) / 1e6, 1.0);

    [Fact]
    public void Letters_are_read_three_at_a_time()
    {
        using var pair = new RandomPair(s_shape);
        var tokenizer = TokenizerLoader.Load(pair.Reference);
        Assert.Equal(1200, tokenizer.VocabularySize);
        // Three control tokens, 256 bytes, the space, 26 letters, 676 pairs, then triples.
        const int space = 3 + 256, pairs = space + 1 + 26, triples = pairs + 26 * 26;
        Assert.Equal([1, space, triples + 26 * 1 + 2, space, pairs + 26 * 25 + 25], tokenizer.Encode(" abc zz"));
        var decoder = tokenizer.CreateDecoder(continuesText: true);
        Assert.Equal(" abc zz", string.Concat(tokenizer.Encode(" abc zz").Select(decoder.Append)) + decoder.Finish());
    }

    [Fact]
    public void Its_files_are_gone_afterwards()
    {
        string folder;
        using (var pair = new RandomPair(s_shape)) folder = Path.GetDirectoryName(pair.Reference)!;
        Assert.False(Directory.Exists(folder));
    }

    /// <summary>The weights, read as the format's description says: 8 bytes of length, the header, bfloat16.</summary>
    private static SortedDictionary<string, double[]> Read(string folder)
    {
        var file = File.ReadAllBytes(Path.Combine(folder, "model.safetensors"));
        var header = (int)BinaryPrimitives.ReadInt64LittleEndian(file);
        var tensors = new SortedDictionary<string, double[]>(StringComparer.Ordinal);
        foreach (var (name, tensor) in JsonNode.Parse(file.AsSpan(8, header))!.AsObject())
        {
            var (begin, end) = ((int)tensor!["data_offsets"]![0]!, (int)tensor["data_offsets"]![1]!);
            tensors[name] = [.. Enumerable.Range(0, (end - begin) / 2).Select(i => (double)BitConverter.UInt32BitsToSingle(
                (uint)BinaryPrimitives.ReadUInt16LittleEndian(file.AsSpan(8 + header + begin + 2 * i)) << 16))];
        }
        return tensors;
    }

    private static double Deviation(double[] values) => Math.Sqrt(values.Sum(value => value * value) / values.Length);
}
