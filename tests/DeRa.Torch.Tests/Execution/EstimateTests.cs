using System.Runtime.InteropServices;
using DeRa.Engine;
using DeRa.Engine.Requests;
using DeRa.Engine.Scheduling;
using DeRa.Testing;
using DeRa.Torch.Tests.Weights;
using Xunit;

namespace DeRa.Torch.Tests.Execution;

/// <summary>Guesses estimate the model that has not got there: what the executor learns for them, and what it is worth.</summary>
public sealed class EstimateTests(ITestOutputHelper output)
{
    private static readonly int[] Prompt = [1, 88, 84, 288, 184, 263, 281];
    private const int ShiftedVocabulary = 118;

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(0.5), InlineData(2), InlineData(-0.5)]
    public async Task Guesses_learn_what_two_models_differ_by_everywhere_and_the_tokens_are_the_same(double strength)
    {
        using var shifted = ShiftedModel();
        var options = GoldenPair.Options("gpt2") with { Aligned = [new("aligned", shifted.Path)] };
        var (tokens, passes) = await RunAsync(GoldenPair.Load(options, ShiftedVocabulary).Executor, strength);
        var (others, otherPasses) = await RunAsync(new OneModelGuesses(GoldenPair.Load(options, ShiftedVocabulary).Executor), strength);
        output.WriteLine($"{passes} passes for {tokens.Count} tokens, {otherPasses} where a guess is the known model's");
        Assert.Equal(others, tokens);
        // With no wrong guess, a request takes one pass more than it has tokens.
        Assert.InRange(passes, tokens.Count, 1.05 * tokens.Count);
        Assert.True(otherPasses > 1.1 * tokens.Count);
    }

    [Fact]
    public void A_step_adds_its_first_decision_that_mixes_the_reference_whatever_is_read_beside_it()
    {
        var decision = new TestSequence(Prompt, strength: 2, [0]).NextRow();
        float[] expected;
        using (var executor = GoldenPair.Load().Executor)
        {
            executor.Run(decision);
            expected = executor.Means!.Of(1).ToArray();
        }
        Assert.Contains(expected, mean => mean != 0);
        using var loaded = GoldenPair.Load().Executor;
        var other = new TestSequence([5, 6, 7], strength: 0.5, [1]).NextRow();
        var alone = other with { Strengths = 1, BlockTable = [2] };
        var prompt = other with { Sampling = null, ScoredTokens = new[] { 6, 7 }, BlockTable = [3] };
        var plan = PlainPlan.Of(loaded.Limits, alone, prompt, decision, other);
        var sources = plan.Readouts[^1].Sources;
        var guess = plan.Readouts[^1] with { Sampling = TestSequence.Greedy(null), Sources = [sources[0], LogitSource.Unknown] };
        // In pieces, the decision is not in the first one.
        loaded.InPieces(GoldenPair.VocabularySize).Execute(plan with { Readouts = [guess, .. plan.Readouts] });
        Assert.Equal(expected, loaded.Means!.Of(1).ToArray());
        loaded.Execute(plan with { Readouts = [guess] });
        Assert.Equal(expected, loaded.Means!.Of(1).ToArray());
        loaded.Run(other);
        Assert.NotEqual(expected, loaded.Means!.Of(1).ToArray());
    }

    [Fact]
    public void A_decision_has_the_same_bits_before_and_after_differences_are_known()
    {
        using var executor = GoldenPair.Load().Executor;
        var row = new TestSequence(Prompt, strength: 2, [0]).NextRow();
        var before = executor.Run(row)[0];
        for (var i = 1; i < 30; i++) executor.Run(new TestSequence([i, 2 * i, 3 * i], strength: 0.5, [1]).NextRow());
        var after = executor.Run(row)[0];
        Assert.Equal((before.Token, before.Error), (after.Token, after.Error));
        Assert.Equal(before.LogProbs!.Top, after.LogProbs!.Top);
        Assert.Equal(before.Readouts[0].ReferenceDivergence, after.Readouts[0].ReferenceDivergence);
    }

    [Fact]
    public void Models_that_share_a_pass_keep_no_differences()
    {
        using var executor = GoldenPair.Load(GoldenPair.Options("pair/sft", "pair/sft")).Executor;
        Assert.Null(executor.Means);
        // A guess is the known model's all the same.
        var plan = PlainPlan.Of(executor.Limits, new TestSequence(Prompt, strength: 0.5, [0]).NextRow(logProbs: null));
        var guess = plan.Readouts[0] with { Sources = [LogitSource.Unknown, plan.Readouts[0].Sources[1]] };
        var results = executor.Execute(plan with { Readouts = [plan.Readouts[0], guess] }).Readouts;
        Assert.Equal((results[0].Token, null), (results[1].Token, results[1].Error));
    }

    /// <summary>GPT-2 with another bias before its output layer: each token's logit differs by a constant of its own.</summary>
    private static EditedCheckpoint ShiftedModel()
    {
        var shifted = new EditedCheckpoint(GoldenData.Committed("gpt2"));
        var bias = MemoryMarshal.Cast<byte, float>(shifted.Tensors["transformer.ln_f.bias"].Data.AsSpan());
        for (var i = 0; i < bias.Length; i++) bias[i] += i % 2 == 0 ? 0.5f : -0.5f;
        return shifted.Write();
    }

    /// <summary>One request after another: their tokens, and the passes that all took.</summary>
    private static async Task<(List<int> Tokens, int Passes)> RunAsync(IStepExecutor models, double strength)
    {
        var counting = new CountingExecutor(models);
        using var fixture = new EngineFixture(counting, options: new EngineOptions { Speculation = Speculation.On });
        var tokens = new List<int>();
        for (var seed = 0; seed < 8; seed++)
            tokens.AddRange(await fixture.RunAsync(new GenerationRequest
            {
                PromptTokens = [1, 88, 84, 63],
                MaxTokens = 50,
                Strengths = strength,
                Seed = seed,
            }, Stop));
        return (tokens, counting.Passes);
    }

    private sealed class CountingExecutor(IStepExecutor models) : IStepExecutor
    {
        public int Passes { get; private set; }

        public ExecutorLimits Limits => models.Limits;

        public StepResult Execute(StepPlan plan)
        {
            Passes += plan.Passes.Count;
            return models.Execute(plan);
        }

        public void Dispose() => models.Dispose();
    }

    /// <summary>Reads each guess of two models from the known one alone.</summary>
    private sealed class OneModelGuesses(IStepExecutor models) : IStepExecutor
    {
        public ExecutorLimits Limits => models.Limits;

        public StepResult Execute(StepPlan plan) => models.Execute(plan with { Readouts = [.. plan.Readouts.Select(Alone)] });

        public void Dispose() => models.Dispose();

        private static Readout Alone(Readout readout)
        {
            var known = readout.Sources.Index().Where(source => source.Item.IsKnown).ToList();
            return known.Count == readout.Sources.Count
                ? readout
                : readout with { Strengths = readout.Strengths.ActiveModels[known[0].Index], Sources = [known[0].Item] };
        }
    }
}
