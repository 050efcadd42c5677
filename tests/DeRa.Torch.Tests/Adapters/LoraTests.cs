using DeRa.Engine.Requests;
using DeRa.Testing;
using DeRa.Torch.Execution;
using DeRa.Torch.Native;
using DeRa.Torch.Tests.Execution;
using DeRa.Torch.Verification;
using DeRa.Torch.Weights;
using Xunit;

namespace DeRa.Torch.Tests.Adapters;

public sealed class LoraTests
{
    private static readonly string[] LlamaModules = ["v_proj", "q_proj", "k_proj", "o_proj", "gate_proj", "up_proj", "down_proj"];

    public static TheoryData<string, string[], bool> Families { get; } = new()
    {
        { "pair/sft", LlamaModules, false },
        { "pair/sft", ["down_proj", "k_proj"], false },
        { "qwen2", LlamaModules, false },
        { "qwen3", LlamaModules, false },
        { "gemma2", LlamaModules, false },
        { "gpt2", ["c_attn", "c_proj", "c_fc"], true },
        { "gpt_neox-sequential", ["query_key_value", "dense", "dense_h_to_4h", "dense_4h_to_h"], false },
    };

    [Theory, MemberData(nameof(Families))]
    public void An_adapter_equals_the_model_that_it_is_merged_into(string model, string[] modules, bool isTransposed)
    {
        using var adapter = new RandomAdapter(model, modules, isTransposed);
        using var adapted = Load(model, new AlignedFolder("aligned", adapter.Folder));
        using var merged = Load(model, new AlignedFolder("aligned", adapter.Merged));
        using var plain = Load(model, new AlignedFolder("aligned", GoldenData.Committed(model)));
        foreach (var strength in new[] { 1, 0.4, 0, -1, 2.5 })
        {
            var expected = Scores(merged, strength);
            Assert.InRange(Difference(expected, Scores(adapted, strength)), 0, 1e-4 * (Math.Abs(strength) + Math.Abs(1 - strength)));
            // The adapter is strong enough that leaving it out would show.
            if (strength != 0) Assert.True(Difference(expected, Scores(plain, strength)) > 0.01);
        }
    }

    [Fact]
    public void The_golden_adapter_gives_the_golden_mixtures()
    {
        var folder = SharedData.Find("golden/pair/mix-sft-merged");
        Assert.SkipWhen(folder is null, SharedData.Missing);
        var mix = GoldenMix.Load(folder!);
        using var executor = Load("pair/sft", new AlignedFolder("aligned", GoldenData.Committed("pair/lora")));
        foreach (var chunk in new[] { int.MaxValue, 3, 1 })
            foreach (var golden in mix.Cases)
            {
                var sequence = new TestSequence(mix.Prompts[golden.Prompt].InputIds, golden.Strength, [7, 2, 9, 4]);
                sequence.Run(executor, golden.GreedyIds.Length, chunk);
                Assert.Equal(golden.GreedyIds, sequence.Output);
                Assert.InRange(Difference(golden.LogProbs(), [.. sequence.LogProbs.SelectMany(TestSequence.Distribution)]), 0,
                    GoldenMix.Tolerance(golden.Strength));
            }
    }

    [Fact]
    public void The_golden_adapter_gives_the_merged_models_golden_logits_at_all_positions()
    {
        var folder = SharedData.Find("golden/pair/merged");
        Assert.SkipWhen(folder is null, SharedData.Missing);
        using var executor = Load("pair/sft", new AlignedFolder("aligned", GoldenData.Committed("pair/lora")));
        foreach (var golden in GoldenCase.Load(folder!))
        {
            var expected = golden.Logits.Chunk(golden.VocabularySize).SelectMany(LogSoftmax).ToArray();
            Assert.InRange(Difference(expected, Scores(executor, 1, golden.Tokens)), 0, 1e-4);
        }
    }

    [Fact]
    public void Adapters_and_whole_models_over_one_reference_share_a_batch()
    {
        using var first = new RandomAdapter("pair/sft", LlamaModules, isTransposed: false);
        using var second = new RandomAdapter("pair/sft", ["q_proj", "up_proj"], isTransposed: false, seed: 2);
        var whole = new AlignedFolder("whole", GoldenData.Committed("pair/aligned"));
        using var adapted = Load("pair/sft", new("first", first.Folder), new("second", second.Folder), whole, new("again", first.Folder));
        using var merged = Load("pair/sft", new("first", first.Merged), new("second", second.Merged), whole, new("again", first.Merged));
        AlignmentStrengths[] strengths =
            [new(.5, .25, .25), new(), new(1), new(0, 1), new(0, 0, 1), new(.3, .3, .3), new(-.5, 1.5), new(.2, 0, 0, .8), new(0, .5)];
        var (actual, expected) = (Run(adapted, strengths), Run(merged, strengths));
        foreach (var (own, other) in actual.Zip(expected))
        {
            Assert.Equal(other.Output, own.Output);
            Assert.InRange(Difference([.. other.LogProbs.SelectMany(TestSequence.Distribution)],
                [.. own.LogProbs.SelectMany(TestSequence.Distribution)]), 0, 4e-4);
        }
    }

    [Fact]
    public void An_adapter_takes_its_own_factors_memory_and_no_second_model()
    {
        var pair = GoldenPair.Load(GoldenPair.Options() with { Aligned = [new("aligned", GoldenData.Committed("pair/lora"))] });
        using var executor = pair.Executor;
        using var checkpoint = Checkpoint.OpenAdapter(GoldenData.Committed("pair/lora"));
        // Fused with k_proj, which is not adapted, q_proj's and v_proj's B have 24 rows more, and each the other's rank, of zeros.
        const int layers = 2, rank = 4, hidden = 48, kv = 24, intermediate = 96;
        var stored = checkpoint.Names.Sum(name => checkpoint.Find(name)!.Value.Tensor.LengthBytes);
        const int zeros = (hidden + kv + kv) * 2 * rank - (hidden + kv) * rank;
        // Outputs are packed by 32: the fused A's 8, and of down_proj A's 4 and B's 48.
        const int packing = (32 - 2 * rank) * hidden + (32 - rank) * intermediate + (64 - hidden) * rank;
        const int padding = layers * sizeof(float) * (zeros + packing);
        Assert.Equal(stored + padding, pair.Members[1].WeightBytes);
        Assert.Equal(pair.Members[0].CacheBytes, pair.Members[1].CacheBytes);
    }

    [Fact]
    public void Bfloat16_models_take_float32_adapters()
    {
        var options = GoldenPair.Options("qwen3", "qwen3");
        using var adapter = new RandomAdapter("qwen3", LlamaModules, isTransposed: false);
        var pair = GoldenPair.Load(options with { DType = DTypeOption.Parse("bfloat16"), Aligned = [new("aligned", adapter.Folder)] },
            vocabularySize: 136);
        using var executor = pair.Executor;
        Assert.Equal(TorchSharp.torch.ScalarType.BFloat16, pair.Members[1].ElementType);
        var sequence = new TestSequence([1, 2, 3], .5, [0]).Run(executor, 3);
        Assert.All(sequence.LogProbs, logProbs => Assert.Equal(1, logProbs.Top.Sum(item => Math.Exp(item.LogProb)), 1e-5));
    }

    private static PairExecutor Load(string reference, params AlignedFolder[] aligned) => GoldenPair.Load(
        GoldenPair.Options(reference, reference) with { Aligned = aligned },
            DeRa.Torch.Families.ModelConfigReader.Load(GoldenData.Committed(reference)).VocabularySize).Executor;

    /// <summary>Log-probabilities of every token at every position of a text.</summary>
    private static double[] Scores(PairExecutor executor, AlignmentStrengths strengths, int[]? text = null)
    {
        text ??= [1, 7, 33, 2, 90, 14, 60, 5, 5, 71, 20, 8];
        var row = new TestRow
        {
            Tokens = text,
            Position = 0,
            BlockTable = [6, 1, 3, 0],
            Strengths = strengths,
            ScoredTokens = text,
            ScoredAlternatives = executor.Limits.VocabularySize,
        };
        return [.. executor.Run(row)[0].ScoredLogProbs.SelectMany(TestSequence.Distribution)];
    }

    private static List<TestSequence> Run(PairExecutor executor, AlignmentStrengths[] strengths)
    {
        var sequences = strengths.Select((own, i) =>
            new TestSequence([1, 7, 33, 2, 90, 14, 60, .. Enumerable.Range(5, i)], own, [2 * i + 1, 2 * i])).ToList();
        for (var step = 0; step < 8; step++)
        {
            var rows = sequences.Select((sequence, i) => sequence.NextRow(2 + i % 5)).ToList();
            var results = executor.Run(rows);
            for (var i = 0; i < rows.Count; i++) sequences[i].Commit(rows[i], results[i]);
        }
        return sequences;
    }

    private static IEnumerable<double> LogSoftmax(double[] logits)
    {
        var sum = Math.Log(logits.Sum(Math.Exp));
        return logits.Select(logit => logit - sum);
    }

    private static double Difference(double[] expected, double[] actual)
    {
        Assert.Equal(expected.Length, actual.Length);
        return expected.Zip(actual, (left, right) => Math.Abs(left - right)).Max(d => double.IsNaN(d) ? double.PositiveInfinity : d);
    }
}
