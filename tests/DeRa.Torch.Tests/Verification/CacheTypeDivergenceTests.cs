using DeRa.Engine.Scheduling;
using DeRa.Serving.Loading;
using DeRa.Testing;
using DeRa.Text.Loading;
using DeRa.Torch.Caching;
using DeRa.Torch.Families;
using DeRa.Torch.Models;
using DeRa.Torch.Native;
using Xunit;
using static TorchSharp.torch;

namespace DeRa.Torch.Tests.Verification;

/// <summary>What a cache of 16 bits changes in the default pair's distributions: printed, for docs/operations.md.</summary>
public sealed class CacheTypeDivergenceTests(ITestOutputHelper output)
{
    private const int Sequences = 4, BlockTokens = 16;

    [Fact]
    public void Half_precision_diverges_less_from_float32_than_bfloat16()
    {
        LibTorch.Load();
        var text = SharedData.Find("text/tinystories-v1-valid-first-0.8mb.txt");
        Assert.SkipWhen(text is null, SharedData.Missing);
        var folders = PairFolders.Choose(null, []);
        foreach (var folder in new[] { folders.Reference, folders.Aligned[0].Path })
        {
            using var scope = NewDisposeScope();
            var length = ModelConfigReader.Load(folder).ContextTokens;
            var tokens = TokenizerLoader.Load(folder).Encode(File.ReadAllText(text!)[..(8 * Sequences * length)]).ToArray();
            Assert.True(tokens.Length >= Sequences * length);
            var exact = LogProbs(folder, tokens, length, "float32");
            var bfloat16 = MeanDivergence(exact, LogProbs(folder, tokens, length, "bfloat16"));
            var float16 = MeanDivergence(exact, LogProbs(folder, tokens, length, "float16"));
            output.WriteLine($"{folder}: mean KL divergence from a float32 cache over {Sequences * length} tokens, nats a token: "
                + $"bfloat16 {bfloat16:E1}, float16 {float16:E1}");
            Assert.True(float16 > 0 && float16 < bfloat16, $"bfloat16 {bfloat16}, float16 {float16}");
        }
    }

    private static double MeanDivergence(Tensor exact, Tensor other) => (exact.exp() * (exact - other)).sum(-1).mean().item<double>();

    /// <summary>[tokens, vocabulary], float64: of each token after those before it in its sequence.</summary>
    private static Tensor LogProbs(string folder, int[] tokens, int length, string cacheType)
    {
        using var inference = inference_mode();
        using var model = DecoderLoader.Load(folder, ModelConfigReader.Load(folder), CPU,
            new NumberOptions { CacheDType = CacheDTypeOption.Parse(cacheType) }, onProgress: null, CancellationToken.None);
        var blocks = (length + BlockTokens - 1) / BlockTokens;
        using var cache = new KvCache(model.Config, blocks * Sequences, BlockTokens, model.Cache);
        ModelRow[] rows = [.. Enumerable.Range(0, Sequences).Select(i => new ModelRow(new PassRow
        {
            Branch = i,
            Model = 0,
            Tokens = tokens.AsMemory(i * length, length),
            Position = 0,
            BlockTable = [.. Enumerable.Range(i * blocks, blocks)],
            OutputCount = length,
        }))];
        var step = new ModelStep(rows, model.Config.WindowTokens, BlockTokens, CPU, ScalarType.Float32);
        return model.Logits(model.Forward(step, cache)).to(ScalarType.Float64).log_softmax(-1);
    }
}
