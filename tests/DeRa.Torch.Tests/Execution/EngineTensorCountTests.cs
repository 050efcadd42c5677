using DeRa.Engine;
using DeRa.Engine.Requests;
using DeRa.Engine.Scheduling;
using DeRa.Testing;
using TorchSharp;
using Xunit;

namespace DeRa.Torch.Tests.Execution;

[Collection(nameof(TensorCount))]
public sealed class EngineTensorCountTests
{
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
}
