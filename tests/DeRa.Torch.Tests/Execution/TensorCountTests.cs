using DeRa.Engine;
using DeRa.Engine.Requests;
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
        executor.Execute(new StepPlan([row]));
        var before = torch.Tensor.TotalCount;
        Assert.Throws<ArgumentException>(() => executor.Execute(new StepPlan([row with { BlockTable = [int.MaxValue] }])));
        Assert.Equal(before, torch.Tensor.TotalCount);
    }

    [Fact]
    public async Task An_engine_that_meets_faults_and_cancellations_leaves_no_tensor_behind()
    {
        var stop = TestContext.Current.CancellationToken;
        using var fixture = new EngineFixture(new FaultyExecutor(GoldenPair.Load().Executor));
        await RunRequests(fixture.Engine, count: 4, stop);
        var before = torch.Tensor.TotalCount;
        Assert.True(await RunRequests(fixture.Engine, count: 24, stop) > 0, "no fault was met");
        Assert.Equal(before, torch.Tensor.TotalCount);
        Assert.Equal(0, fixture.Engine.Status.BlocksInUse);
    }

    /// <summary>Runs requests side by side, every third one cancelled; returns how many failed.</summary>
    private static async Task<int> RunRequests(GenerationEngine engine, int count, CancellationToken stop)
    {
        var handles = engine.Submit([.. Enumerable.Range(0, count).Select(i => new GenerationRequest
        {
            PromptTokens = [.. Enumerable.Range(1, 1 + i)],
            MaxTokens = 12,
            Strengths = i % 4 * 0.5,
            Seed = i,
            PromptLogProbs = i % 2 == 0 ? 2 : null,
        })]);
        for (var i = 0; i < count; i += 3) handles[i].Cancel();
        var failed = 0;
        foreach (var handle in handles)
            try
            {
                await handle.Events.ReadAllAsync(stop).ToListAsync(stop);
            }
            catch (GenerationFailedException)
            {
                failed++;
            }
        return failed;
    }

    /// <summary>Fails each fifth step, before it runs and after it has run in turn.</summary>
    private sealed class FaultyExecutor(IStepExecutor models) : IStepExecutor
    {
        private int _steps;

        public ExecutorLimits Limits => models.Limits;

        public StepResult Execute(StepPlan plan)
        {
            var step = ++_steps % 10;
            if (step == 5) throw new InvalidOperationException("before");
            var result = models.Execute(plan);
            return step == 0 ? throw new InvalidOperationException("after") : result;
        }

        public void Dispose() => models.Dispose();
    }

    /// <summary>Prefill and decode rows of all strengths, scored and sampled.</summary>
    private static void RunSteps(PairExecutor executor)
    {
        double[] strengths = [0, 1, 0.5, 2];
        var sequences = strengths.Select((strength, i) => new TestSequence([1, 5, 9, 2, 8], strength, [2 * i, 2 * i + 1])).ToList();
        for (var step = 0; step < 6; step++)
        {
            var rows = sequences.Select((sequence, i) => sequence.NextRow(i + 1, logProbs: 3)).ToList();
            rows[0] = rows[0] with { ScoredTokens = rows[0].Tokens, ScoredAlternatives = 2 };
            var results = executor.Execute(new StepPlan(rows)).Rows;
            for (var i = 0; i < rows.Count; i++) sequences[i].Commit(rows[i], results[i]);
        }
    }
}
