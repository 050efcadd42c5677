using DeRa.Engine.Scheduling;
using DeRa.Testing;
using DeRa.Torch.Execution;
using DeRa.Torch.Weights;
using Microsoft.Extensions.Logging.Abstractions;
using TorchSharp;
using Xunit;

namespace DeRa.Torch.Tests.Execution;

/// <summary>Counts every tensor of the process, so nothing else runs beside these tests.</summary>
[CollectionDefinition(nameof(TensorCount), DisableParallelization = true)]
public sealed class TensorCount;

[Collection(nameof(TensorCount))]
public sealed class TensorCountTests
{
    [Fact]
    public void Steps_leave_no_tensor_behind()
    {
        using var executor = GoldenPair.Load().Executor;
        RunSteps(executor);
        var before = torch.Tensor.TotalCount;
        for (var round = 0; round < 5; round++) RunSteps(executor);
        Assert.Equal(before, torch.Tensor.TotalCount);
    }

    [Fact]
    public void Disposing_the_executor_frees_models_and_caches()
    {
        GoldenPair.Load().Executor.Dispose();
        var before = torch.Tensor.TotalCount;
        var executor = GoldenPair.Load().Executor;
        Assert.True(torch.Tensor.TotalCount > before);
        RunSteps(executor);
        executor.Dispose();
        Assert.Equal(before, torch.Tensor.TotalCount);
    }

    [Fact]
    public void A_model_that_fails_to_load_takes_the_other_with_it()
    {
        GoldenPair.Load().Executor.Dispose();
        var before = torch.Tensor.TotalCount;
        using var broken = new TemporaryFolder().CopyFrom(GoldenData.Committed("pair/sft"));
        File.Delete(Path.Combine(broken.Path, "model.safetensors"));
        foreach (var options in new[] { GoldenPair.Options() with { ReferencePath = broken.Path },
            GoldenPair.Options() with { Aligned = [new("aligned", broken.Path)] } })
            Assert.Throws<CheckpointException>(() => GoldenPair.Load(options));
        Assert.Throws<PairLoadException>(() => GoldenPair.Load(GoldenPair.Options() with { ContextTokens = 200, CacheTokens = 100 }));
        Assert.Throws<OperationCanceledException>(() => PairLoader.Load(GoldenPair.Options(), GoldenPair.VocabularySize, progress: null,
            NullLogger.Instance, new CancellationToken(canceled: true)));
        Assert.Equal(before, torch.Tensor.TotalCount);
    }

    [Fact]
    public void Adapters_leave_no_tensor_behind_whether_they_run_or_fail_to_load()
    {
        var adapter = new AlignedFolder("adapter", GoldenData.Committed("pair/lora"));
        var whole = new AlignedFolder("whole", GoldenData.Committed("pair/aligned"));
        var options = GoldenPair.Options() with { Aligned = [adapter, whole] };
        GoldenPair.Load(options).Executor.Dispose();
        var before = torch.Tensor.TotalCount;
        using (var executor = GoldenPair.Load(options).Executor)
        {
            var loaded = torch.Tensor.TotalCount;
            RunSteps(executor);
            Assert.Equal(loaded, torch.Tensor.TotalCount);
        }
        using var broken = new TemporaryFolder().CopyFrom(adapter.Path);
        var weights = Path.Combine(broken.Path, "adapter_model.safetensors");
        File.WriteAllBytes(weights, File.ReadAllBytes(weights)[..^1]);
        Assert.Throws<CheckpointException>(() => GoldenPair.Load(options with { Aligned = [adapter, whole, new("broken", broken.Path)] }));
        Assert.Equal(before, torch.Tensor.TotalCount);
    }

    [Fact]
    public void A_refused_step_leaves_no_tensor_behind()
    {
        using var executor = GoldenPair.Load().Executor;
        var row = new TestSequence([1, 2], strength: 0.5, [0]).NextRow();
        executor.Run(row);
        var before = torch.Tensor.TotalCount;
        Assert.Throws<ArgumentException>(() => executor.Run(row with { BlockTable = [int.MaxValue] }));
        Assert.Equal(before, torch.Tensor.TotalCount);
    }

    /// <summary>Prefill and decode rows of all strengths, scored, sampled and guessed.</summary>
    private static void RunSteps(PairExecutor executor)
    {
        double[] strengths = [0, 1, 0.5, 2];
        var sequences = strengths.Select((strength, i) => new TestSequence([1, 5, 9, 2, 8], strength, [2 * i, 2 * i + 1])).ToList();
        for (var step = 0; step < 6; step++)
        {
            var rows = sequences.Select((sequence, i) => sequence.NextRow(i + 1, logProbs: 3)).ToList();
            rows[0] = rows[0] with { ScoredTokens = rows[0].Tokens, ScoredAlternatives = 2 };
            var results = executor.Run(rows);
            for (var i = 0; i < rows.Count; i++) sequences[i].Commit(rows[i], results[i]);
        }
        executor.Execute(new StepPlan([], [new Readout
        {
            Branch = 0,
            Strengths = 0.5,
            Sources = [LogitSource.Unknown, LogitSource.Kept(0)],
            Sampling = TestSequence.Greedy(logProbs: null),
        }]));
    }
}
