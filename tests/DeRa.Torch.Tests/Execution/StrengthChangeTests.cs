using DeRa.Engine;
using DeRa.Engine.Requests;
using DeRa.Engine.Scheduling;
using DeRa.Testing;
using Xunit;

namespace DeRa.Torch.Tests.Execution;

/// <summary>Strengths that change mid-stream on real models: what follows is what a request that began with all of it would get.</summary>
public sealed class StrengthChangeTests
{
    [Fact]
    public async Task Each_token_s_distribution_is_that_of_a_new_request_over_the_same_text()
    {
        var stop = TestContext.Current.CancellationToken;
        double[] strengths = [0, 1, 0.5, 1, 2, 0, -0.5];
        using var executor = new ChangingExecutor(GoldenPair.Load().Executor, strengths);
        using var fixture = new EngineFixture(executor);
        var request = new GenerationRequest
        {
            PromptTokens = [1, 88, 84, 288, 184, 263, 281],
            MaxTokens = 60,
            Strengths = strengths[0],
            Seed = 1,
            LogProbs = 20,
        };
        var handle = fixture.Engine.Submit([request])[0];
        executor.Handle.SetResult(handle);
        var events = await handle.Events.ReadAllAsync(stop).ToListAsync(stop);
        Assert.Equal(strengths.Skip(1), events.OfType<StrengthsChanged>().Select(changed => changed.Strengths[0]));
        var (tokens, strength) = (request.PromptTokens.ToList(), strengths[0]);
        foreach (var happened in events)
        {
            if (happened is StrengthsChanged changed) strength = changed.Strengths[0];
            if (happened is not TokenGenerated generated) continue;
            var again = await NextAsync(fixture, request with { PromptTokens = [.. tokens], MaxTokens = 1, Strengths = strength }, stop);
            Assert.Equal(again.Top.Select(item => item.LogProb), generated.LogProbs!.Top.Select(item => item.LogProb),
                (a, b) => Math.Abs(a - b) < 1e-4);
            tokens.Add(generated.Token);
        }
    }

    private static async Task<TokenLogProbs> NextAsync(EngineFixture fixture, GenerationRequest request, CancellationToken stop)
    {
        var events = await fixture.Engine.Submit([request])[0].Events.ReadAllAsync(stop).ToListAsync(stop);
        return events.OfType<TokenGenerated>().Single().LogProbs!;
    }

    /// <summary>Asks for the next strength before each seventh step.</summary>
    private sealed class ChangingExecutor(IStepExecutor models, double[] strengths) : IStepExecutor
    {
        private int _steps;

        public TaskCompletionSource<GenerationHandle> Handle { get; } = new();

        public ExecutorLimits Limits => models.Limits;

        public StepResult Execute(StepPlan plan)
        {
            if (++_steps % 7 == 0 && _steps / 7 < strengths.Length) _ = Handle.Task.Result.ChangeStrengths(strengths[_steps / 7]);
            return models.Execute(plan);
        }

        public void Dispose() => models.Dispose();
    }
}
