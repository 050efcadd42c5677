using DeRa.Serving.Loading;
using DeRa.Testing;
using DeRa.Torch.Execution;
using DeRa.Torch.Native;
using Xunit;

namespace DeRa.Torch.Tests.Execution;

/// <summary>
/// On the CPU a sequence's logits are the same to the last bit in any type of weights, whatever runs beside it and however its prompt
/// is cut into chunks: that is why a seed names a text.
/// </summary>
public sealed class BatchInvarianceTests
{
    private const int Sequences = 13, OutputTokens = 6, BlocksPerSequence = 26, BlockTokens = 16;

    public static TheoryData<string, string> ModelsAndTypes => new(
        from model in GoldenData.CommittedModels
        from type in new[] { "float32", "bfloat16", "float16" }
        select (model, type));

    public static TheoryData<string, string> ModelsAndCacheTypes => new(
        from model in GoldenData.CommittedModels
        from type in new[] { "bfloat16", "float16" }
        select (model, type));

    [Theory, MemberData(nameof(ModelsAndTypes))]
    public void Logits_of_every_family_do_not_depend_on_the_batch(string model, string type) =>
        AssertSameBits(GoldenPair.Options(model, model) with { DType = DTypeOption.Parse(type) });

    [Theory, MemberData(nameof(ModelsAndCacheTypes))]
    public void Logits_from_a_cache_of_16_bits_do_not_depend_on_the_batch(string model, string type) =>
        AssertSameBits(GoldenPair.Options(model, model) with { CacheDType = CacheDTypeOption.Parse(type) });

    [Theory]
    [InlineData(1, "auto"), InlineData(2, "auto"), InlineData(3, "auto"), InlineData(2, "bfloat16"), InlineData(3, "float16")]
    public void Logits_of_the_default_pair_do_not_depend_on_the_batch(int threads, string cacheType)
    {
        var before = LibTorch.Load().Threads;
        LibTorch.Load(new LibTorchOptions { Threads = threads });
        try
        {
            var folders = PairFolders.Choose(null, []);
            AssertSameBits(GoldenPair.Options() with
            {
                ReferencePath = folders.Reference,
                Aligned = folders.Aligned,
                DType = DTypeOption.Auto,
                CacheDType = CacheDTypeOption.Parse(cacheType),
            });
        }
        finally
        {
            LibTorch.Load(new LibTorchOptions { Threads = before });
        }
    }

    private static void AssertSameBits(PairOptions options)
    {
        using var executor =
            GoldenPair.Load(options with { CacheTokens = Sequences * BlocksPerSequence * BlockTokens }, int.MaxValue).Executor;
        var vocabularySize = executor.Limits.VocabularySize;
        // Long enough that work is divided among threads, where the model can take that.
        var longest = Math.Min(executor.Limits.ContextTokens, BlocksPerSequence * BlockTokens) - OutputTokens;
        var random = new Random(3);
        var prompts = Enumerable.Range(0, Sequences)
            .Select(i => Enumerable.Range(0, 1 + 37 * i * i % longest).Select(_ => random.Next(vocabularySize)).ToArray()).ToList();
        double[] strengths = [0, 1, 0.5, 2, -0.5, 10];
        var alone = prompts.Select((prompt, i) => New(prompt, i).Run(executor, OutputTokens)).ToList();
        var together = prompts.Select(New).ToList();
        for (var step = 0; together.Exists(sequence => sequence.Output.Count() < OutputTokens); step++)
        {
            // Sequences join one after the other, read their prompts in chunks of different lengths, and leave at different times.
            var running = together.Where((sequence, i) => i <= 2 * step && sequence.Output.Count() < OutputTokens).ToList();
            var rows = running.Select((sequence, i) => sequence.NextRow(1 + (7 * i + step) * (1 + step % 3 * 10) % longest)).ToList();
            var result = executor.Run(rows);
            for (var i = 0; i < rows.Count; i++) running[i].Commit(rows[i], result[i]);
        }
        for (var i = 0; i < Sequences; i++)
            for (var token = 0; token < OutputTokens; token++)
                Assert.Equal(alone[i].LogProbs[token].Top, together[i].LogProbs[token].Top);

        TestSequence New(int[] prompt, int i) =>
            new(prompt, strengths[i % strengths.Length], [.. Enumerable.Range(i * BlocksPerSequence, BlocksPerSequence)]);
    }
}
