using DeRa.Testing;
using DeRa.Torch.Execution;
using DeRa.Torch.Native;
using DeRa.Torch.Weights;
using TorchSharp;
using Xunit;

namespace DeRa.Torch.Tests.Execution;

public sealed class PairLoaderTests
{
    /// <summary>The golden pair: 2 layers, 2 key heads of 12, hidden 48, intermediate 96, vocabulary 300, untied.</summary>
    private const long CacheBytesPerToken = 2 * 2 * 2 * 12 * sizeof(float);

    /// <summary>Outputs are packed by 32: the output layer's 300 take the room of 320; in each layer, 48 that of 64, twice.</summary>
    private const long PaddingBytes = (20 * 48 + 2 * (16 * 48 + 16 * 96)) * sizeof(float);

    [Fact]
    public void A_pair_loads_with_its_sizes_logged()
    {
        var log = new ListLogger();
        var pair =
            PairLoader.Load(GoldenPair.Options(), GoldenPair.VocabularySize, progress: null, log, TestContext.Current.CancellationToken);
        using var executor = pair.Executor;
        Assert.Equal((300, 256, 16, 128),
            (executor.Limits.VocabularySize, executor.Limits.ContextTokens, executor.Limits.BlockTokens, executor.Limits.BlockCount));
        foreach (var model in pair.Members)
        {
            Assert.Equal(("cpu", torch.ScalarType.Float32, 2048 * CacheBytesPerToken), (model.Device, model.ElementType, model.CacheBytes));
            // Beside the stored tensors and padding only the rotary frequencies: six float64.
            Assert.Equal(StoredBytes("pair/sft") + PaddingBytes + 6 * 8, model.WeightBytes);
        }
        Assert.Contains(log.Lines, line =>
            line.StartsWith("Model 'reference', ", StringComparison.Ordinal) && line.Contains("Float32 on cpu"));
        Assert.Contains(log.Lines, line => line.StartsWith("Model 'aligned', ", StringComparison.Ordinal));
        Assert.Contains(log.Lines, line => line.StartsWith("Cache: 128 blocks of 16 tokens", StringComparison.Ordinal)
            && line.EndsWith("512 rows of logits kept between steps, 0.6 MiB", StringComparison.Ordinal));
        Assert.Equal(512, executor.Limits.LogitSlots);
    }

    [Fact]
    public void Progress_reaches_the_size_of_both_models()
    {
        var reports = new ListProgress();
        PairLoader.Load(GoldenPair.Options(), GoldenPair.VocabularySize, reports, new ListLogger(),
            TestContext.Current.CancellationToken).Executor.Dispose();
        foreach (var model in new[] { "reference", "aligned" })
        {
            var own = reports.Reports.Where(report => report.Model == model).ToList();
            Assert.Equal(own.Select(report => report.LoadedBytes).Order(), own.Select(report => report.LoadedBytes));
            Assert.Equal((StoredBytes("pair/sft"), StoredBytes("pair/sft")), (own[^1].LoadedBytes, own[^1].TotalBytes));
        }
    }

    [Fact]
    public void One_folder_given_twice_loads_its_weights_once_and_keeps_two_caches()
    {
        using var link = new TemporaryFolder();
        var linked = Path.Combine(link.Path, "same");
        Directory.CreateSymbolicLink(linked, GoldenData.Committed("pair/sft"));
        foreach (var other in new[] { GoldenData.Committed("pair/sft"), GoldenData.Committed("pair/../pair/sft/"), linked })
        {
            var log = new ListLogger();
            var pair = PairLoader.Load(GoldenPair.Options() with { Aligned = [new("aligned", other)] }, GoldenPair.VocabularySize,
                progress: null, log, TestContext.Current.CancellationToken);
            pair.Executor.Dispose();
            Assert.Equal((StoredBytes("pair/sft") + PaddingBytes + 6 * 8, 0), (pair.Members[0].WeightBytes, pair.Members[1].WeightBytes));
            Assert.Equal(2 * 2048 * CacheBytesPerToken, pair.Members.Sum(member => member.CacheBytes));
            Assert.Contains(log.Lines, line => line.Contains("loaded once"));
        }
    }

    [Fact]
    public void By_default_weights_keep_the_checkpoints_type_and_the_cache_on_a_cpu_is_float32()
    {
        var options = GoldenPair.Options("llama-llama3", "pair/sft") with { DType = DTypeOption.Auto };
        var pair = GoldenPair.Load(options, vocabularySize: 128);
        using var executor = pair.Executor;
        Assert.Equal((torch.ScalarType.BFloat16, torch.ScalarType.Float32), (pair.Members[0].ElementType, pair.Members[1].ElementType));
        Assert.All(pair.Members, member => Assert.Equal(2048 * member.Config.CacheBytesPerToken(sizeof(float)), member.CacheBytes));
        // Different types, shapes and output widths (128 and 300) still make one step.
        var sequence = new TestSequence([1, 2, 3], strength: 0.5, [0]).Run(executor, 2);
        Assert.All(sequence.LogProbs, logProbs => Assert.Equal(1, logProbs.Top.Sum(item => Math.Exp(item.LogProb)), 1e-5));
    }

    [Fact]
    public void With_kernels_of_libtorch_weights_and_cache_are_of_one_type()
    {
        var options = GoldenPair.Options("llama-llama3", "llama-llama3") with
        {
            DType = DTypeOption.Auto,
            Kernels = KernelsOption.Parse("torch"),
        };
        var pair = GoldenPair.Load(options, vocabularySize: 128);
        using var executor = pair.Executor;
        Assert.Equal(torch.ScalarType.BFloat16, pair.Members[0].ElementType);
        Assert.Equal(2048 * pair.Members[0].Config.CacheBytesPerToken(sizeof(short)), pair.Members[0].CacheBytes);
        // Beside the stored tensors only the rotary frequencies, and norms in float32.
        var config = pair.Members[0].Config;
        Assert.Equal(StoredBytes("llama-llama3") + config.RotaryDimension / 2 * sizeof(double)
            + (2 * config.LayerCount + 1) * config.HiddenSize * (sizeof(float) - sizeof(short)), pair.Members[0].WeightBytes);
    }

    [Fact]
    public void Prompts_by_libtorch_are_told_and_give_what_our_own_kernels_give_but_for_rounding()
    {
        var log = new ListLogger();
        var options = GoldenPair.Options() with { Kernels = KernelsOption.Parse("auto", "torch") };
        using var own = GoldenPair.Load(GoldenPair.Options(), GoldenPair.VocabularySize).Executor;
        using var byLibrary = PairLoader.Load(options, GoldenPair.VocabularySize, progress: null, log,
            TestContext.Current.CancellationToken).Executor;
        Assert.Contains(log.Lines, line => line.Contains("--prefill-kernel torch"));
        int[] prompt = [.. Enumerable.Range(0, 60).Select(i => i * 7 % 100)];
        var logProbs = new[] { own, byLibrary }.Select(executor => new TestSequence(prompt, strength: 0.5, [0, 1, 2, 3]).Run(executor, 1)
            .LogProbs[0].Top.ToDictionary(item => item.Token, item => item.LogProb)).ToList();
        Assert.All(logProbs[0], item => Assert.Equal(item.Value, logProbs[1][item.Key], 1e-4f));
    }

    [Fact]
    public void A_cache_of_16_bits_takes_half_the_memory_and_its_type_is_logged()
    {
        var log = new ListLogger();
        var options = GoldenPair.Options() with { CacheDType = CacheDTypeOption.Parse("bfloat16") };
        var pair =
            PairLoader.Load(options, GoldenPair.VocabularySize, progress: null, log, TestContext.Current.CancellationToken);
        pair.Executor.Dispose();
        Assert.All(pair.Members, member => Assert.Equal(
            (torch.ScalarType.Float32, torch.ScalarType.BFloat16, 2048 * CacheBytesPerToken / 2),
            (member.ElementType, member.CacheType, member.CacheBytes)));
        Assert.Equal(2, log.Lines.Count(line => line.EndsWith("cache 0.4 MiB in BFloat16", StringComparison.Ordinal)));
    }

    [Fact]
    public void A_cache_of_another_type_than_libtorch_computes_in_is_refused()
    {
        var options = GoldenPair.Options() with
        {
            DType = DTypeOption.Parse("bfloat16"),
            CacheDType = CacheDTypeOption.Parse("float32"),
            Kernels = KernelsOption.Parse("torch"),
        };
        var error = Assert.Throws<LibTorchException>(() => GoldenPair.Load(options));
        Assert.StartsWith("--cache-dtype float32: a model on cpu is computed by libtorch in bfloat16", error.Message);
    }

    [Theory]
    [InlineData(139, 139), InlineData(144, 144), InlineData(150, 144)]
    public void The_vocabulary_is_the_tokenizers_within_the_output_width(int tokenizerSize, int expected)
    {
        var log = new ListLogger();
        using var executor = PairLoader.Load(GoldenPair.Options("qwen2", "qwen2"), tokenizerSize, progress: null, log,
            TestContext.Current.CancellationToken).Executor;
        Assert.Equal(expected, executor.Limits.VocabularySize);
        Assert.Equal(tokenizerSize > 144, log.Lines.Exists(line => line.Contains("tokenizer has 150 tokens")));
        var sequence = new TestSequence([1, 2, 3], strength: 0.5, [0]).Run(executor, 1);
        Assert.Equal(1, sequence.LogProbs[0].Top.Sum(item => Math.Exp(item.LogProb)), 1e-5);
        Assert.Equal(expected, sequence.LogProbs[0].Top.Count);
    }

    [Fact]
    public void By_default_a_small_pairs_cache_holds_sixty_four_contexts()
    {
        var pair = GoldenPair.Load(GoldenPair.Options() with { CacheTokens = null });
        pair.Executor.Dispose();
        Assert.Equal(64 * 256 / 16, pair.Executor.Limits.BlockCount);
    }

    [Fact]
    public void A_small_cache_lowers_the_context_and_says_so()
    {
        var log = new ListLogger();
        var pair = PairLoader.Load(GoldenPair.Options() with { CacheTokens = 100 }, GoldenPair.VocabularySize, progress: null, log,
            TestContext.Current.CancellationToken);
        pair.Executor.Dispose();
        Assert.Equal((96, 96), (pair.ContextTokens, pair.Executor.Limits.ContextTokens));
        Assert.Contains(log.Lines, line => line.Contains("lowered"));
    }

    [Fact]
    public void A_context_below_the_models_may_be_asked_for()
    {
        var pair = GoldenPair.Load(GoldenPair.Options() with { ContextTokens = 40 });
        pair.Executor.Dispose();
        Assert.Equal(40, pair.ContextTokens);
    }

    public static TheoryData<string, PairOptions> Refused { get; } = new()
    {
        { "--context-length is 257; it must be from 1 to 256", GoldenPair.Options() with { ContextTokens = 257 } },
        { "--context-length is 0", GoldenPair.Options() with { ContextTokens = 0 } },
        { "--context-length is 200, but the cache holds 96", GoldenPair.Options() with { ContextTokens = 200, CacheTokens = 100 } },
        { "--cache-tokens is 15", GoldenPair.Options() with { CacheTokens = 15 } },
        { "BlockTokens is 0", GoldenPair.Options() with { BlockTokens = 0 } },
        { "BlockTokens is 1025", GoldenPair.Options() with { BlockTokens = 1025 } },
        { "LogitSlots is -1; it must be at least 0", GoldenPair.Options() with { LogitSlots = -1 } },
        { "the caches have no room for one block", GoldenPair.Options() with { LogitSlots = int.MaxValue, CacheTokens = null } },
    };

    [Theory, MemberData(nameof(Refused))]
    public void Options_out_of_range_are_refused_by_name(string reason, PairOptions options) =>
        Assert.Contains(reason, Assert.Throws<PairLoadException>(() => GoldenPair.Load(options)).Message);

    [Fact]
    public void A_missing_folder_is_refused_by_name()
    {
        var options = GoldenPair.Options() with { Aligned = [new("aligned", GoldenData.Committed("nowhere"))] };
        Assert.Contains("nowhere", Assert.Throws<CheckpointException>(() => GoldenPair.Load(options)).Message);
    }

    [Fact]
    public void A_device_that_is_not_there_is_refused_by_name()
    {
        Assert.SkipWhen(LibTorch.Load().CudaDevices > 99, "a machine with a hundred GPUs");
        Assert.Contains("cuda:99", Assert.Throws<LibTorchException>(() =>
            GoldenPair.Load(GoldenPair.Options() with { Device = DeviceOption.Parse("cuda:99") })).Message);
    }

    private static long StoredBytes(string golden)
    {
        using var checkpoint = Checkpoint.Open(GoldenData.Committed(golden));
        return checkpoint.Names.Sum(name => checkpoint.Find(name)!.Value.Tensor.LengthBytes);
    }

    private sealed class ListProgress : IProgress<LoadProgress>
    {
        public List<LoadProgress> Reports { get; } = [];

        public void Report(LoadProgress value)
        {
            lock (Reports) Reports.Add(value);
        }
    }
}
