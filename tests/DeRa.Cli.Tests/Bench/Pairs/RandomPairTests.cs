using System.Buffers.Binary;
using System.Text.Json.Nodes;
using DeRa.Cli.Bench.Pairs;
using DeRa.Engine.Requests;
using DeRa.Serving.Loading;
using DeRa.Serving.Requests;
using DeRa.Text.Loading;
using DeRa.Torch.Execution;
using Microsoft.Extensions.Logging.Abstractions;
using Xunit;

namespace DeRa.Cli.Tests.Bench.Pairs;

public class RandomPairTests
{
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_random_pair_loads_chats_and_writes_tokens(bool tiedHead)
    {
        using var random = TinyPair.Create(TinyPair.Shape with { TiedHead = tiedHead });
        var pair = await ServedPairLoader.LoadAsync(new ServedPairOptions
        {
            Names = new ServedNames("pair", ["aligned"]),
            Models = new PairOptions { ReferencePath = random.Reference, Aligned = random.Folders.Aligned },
        }, null, NullLoggerFactory.Instance, TimeProvider.System, TestContext.Current.CancellationToken);
        using var engine = pair.Engine;
        Assert.Equal((1200, 64), (engine.Limits.VocabularySize, engine.Limits.ContextTokens));
        Assert.NotNull(pair.Validator.Defaults.ChatTemplate);

        var sequence = engine.Submit([new GenerationRequest
        {
            PromptTokens = [1, 500, 1000],
            Strengths = .5,
            MaxTokens = 5,
            Seed = 1,
        }])[0];
        var tokens = 0;
        await foreach (var happened in sequence.Events.ReadAllAsync(TestContext.Current.CancellationToken))
            if (happened is TokenGenerated) tokens++;
        Assert.Equal(5, tokens);
    }

    [Theory]
    [InlineData(.1)]
    [InlineData(.5)]
    public void The_aligned_model_is_the_reference_and_noise_as_large_as_asked_for(double ratio)
    {
        using var pair = TinyPair.Create(noise: ratio);
        var (reference, aligned) = (Read(pair.Reference), Read(pair.Aligned));
        Assert.Equal(TinyPair.Shape.Tensors().Select(tensor => tensor.Name).Order(StringComparer.Ordinal), reference.Keys);
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
            // The smallest tensor has 2,048 weights: its deviation is within 5 standard errors, 1.6 % each.
            Assert.InRange(Deviation(weights), .02 * .92, .02 * 1.08);
            Assert.InRange(Deviation(noise) / Deviation(weights), ratio * .9, ratio * 1.1);
            Assert.InRange(weights.Zip(noise, (weight, added) => weight * added).Average() / (.02 * .02 * ratio), -.12, .12);
        }
        // No tensor, and no part of one, repeats another.
        var first = reference["model.embed_tokens.weight"];
        Assert.NotEqual(first[..64], first[64..128]);
        Assert.NotEqual(first[..64], reference["model.layers.0.self_attn.q_proj.weight"][..64]);
    }

    [Fact]
    public void A_pair_is_always_the_same()
    {
        using var one = TinyPair.Create();
        using var other = TinyPair.Create();
        foreach (var (model, again) in ((string, string)[])[(one.Reference, other.Reference), (one.Aligned, other.Aligned)])
            foreach (var file in Directory.GetFiles(model))
                Assert.Equal(File.ReadAllBytes(file), File.ReadAllBytes(Path.Combine(again, Path.GetFileName(file))));
        Assert.NotEqual(File.ReadAllBytes(Path.Combine(one.Reference, "model.safetensors")),
            File.ReadAllBytes(Path.Combine(one.Aligned, "model.safetensors")));
    }

    [Theory]
    [InlineData("110m", 110)]
    [InlineData("1b", 1100)]
    [InlineData("1b-152k", 1100 + 2 * 119.936 * 2.048)]
    [InlineData("7b", 6738)]
    public void Parameters_are_as_many_as_the_name_says(string name, double millions) =>
        Assert.Equal(millions, RandomShape.ByName[name].Tensors().Sum(tensor => RandomTensorFile.Count(tensor.Shape)) / 1e6, 1.0);

    [Theory]
    [InlineData("110m")]
    [InlineData("1b-152k")]
    public void A_tokenizer_has_as_many_tokens_as_the_model(string name)
    {
        var model = RandomTokenizer.Create(RandomShape.ByName[name].Vocabulary)["model"]!["vocab"]!.AsObject();
        Assert.Equal(RandomShape.ByName[name].Vocabulary, model.Count);
    }

    [Fact]
    public void Letters_are_read_three_at_a_time()
    {
        using var pair = TinyPair.Create();
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
        using (var pair = TinyPair.Create()) folder = Path.GetDirectoryName(pair.Reference)!;
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
