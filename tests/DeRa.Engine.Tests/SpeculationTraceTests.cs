using DeRa.Engine.Requests;
using DeRa.Engine.Scheduling;
using DeRa.Testing;
using Xunit;

namespace DeRa.Engine.Tests;

/// <summary>
/// Random traces with guesses and without, with prompts that begin alike, in a cache of plenty of blocks or of few: whatever is guessed,
/// whatever was computed for others, whoever goes back to the queue and whatever shares the batch, each token and each log-probability is
/// that of the effective mixture over all tokens before it, computed from scratch.
/// </summary>
public sealed class SpeculationTraceTests(ITestOutputHelper output)
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public static TheoryData<Speculation, string, int, bool> Cases()
    {
        var cases = new TheoryData<Speculation, string, int, bool>();
        foreach (var speculation in Enum.GetValues<Speculation>())
            foreach (var models in (string[])["two", "three", "adapters", "two devices"])
                foreach (var blocks in (int[])[200, 34]) cases.Add(speculation, models, blocks, models != "adapters" || blocks == 200);
        return cases;
    }

    [Theory, MemberData(nameof(Cases))]
    public async Task Every_token_of_a_random_trace_is_that_of_the_mixture(
        Speculation speculation, string models, int blocks, bool prefixCache)
    {
        var random = new Random((int)speculation + models.Length + blocks);
        var (executor, oracle) = (Executor(models, blocks), Executor(models, blockCount: 1));
        var seen = new Counts();
        executor.BeforeStep = plan => seen.Add(plan);
        using var fixture = new EngineFixture(executor, options: new EngineOptions
        {
            MaxRunning = 6,
            MaxBatchTokens = 16,
            Speculation = speculation,
            PrefixCache = prefixCache,
            // So few that blocks of other texts are looked at all the time.
            BlockHashBits = 4,
        });
        int[][] beginnings = [.. Enumerable.Range(0, 4).Select(_ => RandomTokens(random, 40))];
        var handles = new List<GenerationHandle>();
        for (var i = 0; i < 50; i++)
        {
            var request = RandomRequest(random, oracle.Limits.ModelCount, beginnings);
            GenerationRequest[] group = random.Next(4) > 0 ? [request]
                : [request, Constant(random, request with { ChoiceIndex = 3 }, oracle.Limits.ModelCount)];
            handles.AddRange(fixture.Engine.Submit(group, hasBarrier: request.PromptOfModel.Count == 0 && random.Next(2) == 0));
        }
        await Task.WhenAll(handles.Select(handle => VerifyAsync(handle, oracle, new Random(random.Next()))));
        Assert.Equal(0, fixture.Engine.Status.BlocksInUse);
        var (cached, preemptions) = (handles.Sum(handle => handle.CachedTokens), handles.Sum(handle => handle.Preemptions));
        output.WriteLine($"{seen}; cached tokens {cached}, preemptions {preemptions}");
        Assert.True(!prefixCache || cached > 0);
        Assert.True(preemptions > 0);
        Assert.All(handles, handle => Assert.InRange(handle.Preemptions, 0, 2));
        Assert.Equal(speculation == Speculation.Off, seen.LongestDecode <= 1);
    }

    private static ScriptedExecutor Executor(string models, int blockCount)
    {
        IReadOnlyList<RunnerLimits> runners = models switch
        {
            "two" => [new([0], "cpu"), new([1], "cpu")],
            "three" => [new([0], "cpu"), new([1], "cpu"), new([2], "cpu")],
            "adapters" => [new([0, 2], "cpu"), new([1], "cpu")],
            _ => [new([0], "cuda:0"), new([1], "cuda:1")],
        };
        // Fewer slots than sequences that run: some of them cannot keep logits.
        return new ScriptedExecutor(
            vocabularySize: 64, blockCount: blockCount, logitSlots: 5 * 5 * runners.Sum(runner => runner.Models.Count),
            runners: runners)
        { Difference = 0.3 };
    }

    /// <summary>Reads a sequence, changes its strengths now and then, and computes each of its tokens again.</summary>
    private static async Task VerifyAsync(GenerationHandle handle, ScriptedExecutor oracle, Random random)
    {
        var (models, request) = (oracle.Limits.ModelCount, handle.Request);
        var (strengths, output, cancelAt) = (request.Strengths, new List<int>(), random.Next(6) == 0 ? random.Next(20) : -1);
        var schedule = request.Schedule;
        await foreach (var happened in handle.Events.ReadAllAsync(Stop))
            switch (happened)
            {
                case StrengthsChanged changed:
                    strengths = changed.Strengths;
                    break;
                case PromptScored scored:
                    Assert.Equal(request.PromptTokens.Skip(1), scored.LogProbs.Select(score => score.Token));
                    break;
                case TokenGenerated generated:
                    Verify(oracle, request, strengths, output, generated);
                    if (schedule is not null) Assert.Equal(schedule.At(output.Count), strengths);
                    output.Add(generated.Token);
                    if (output.Count == cancelAt) handle.Cancel();
                    if (random.Next(request.Schedule is null ? 8 : 30) != 0) break;
                    // From here on the schedule no longer holds.
                    schedule = null;
                    _ = handle.ChangeStrengths(RandomStrengths(random, models));
                    break;
                case SequenceFinished finished:
                    if (finished.Reason == FinishReason.Length) Assert.Equal(request.MaxTokens, output.Count);
                    if (finished.Reason == FinishReason.Stop) Assert.Contains(output[^1], request.StopTokens);
                    Assert.True(cancelAt >= 0 || finished.Reason != FinishReason.Cancelled);
                    break;
            }
    }

    private static void Verify(
        ScriptedExecutor oracle, GenerationRequest request, AlignmentStrengths strengths, List<int> output, TokenGenerated generated)
    {
        int[] main = [.. request.PromptTokens, .. output];
        int[][] prefixes = [.. Enumerable.Range(0, oracle.Limits.ModelCount).Select(
            model => request.PromptOfModel.TryGetValue(model, out var own) ? [.. own, .. output] : main)];
        var mixed = oracle.MixedLogits(prefixes, strengths);
        Assert.Equal(ReferenceSampler.Token(mixed, new SamplingRow
        {
            Parameters = request.Sampling,
            NoiseKey = GumbelNoise.Key(request.Seed, request.ChoiceIndex, 0, main.Length),
            History = main,
            PromptTokens = request.PromptTokens.Count,
        }), generated.Token);
        if (request.LogProbs is not null)
            Assert.Equal(ReferenceSampler.LogProbs(mixed)[generated.Token], generated.LogProbs!.LogProb, 1e-4);
        Assert.Equal(request.Measures is null, generated.Measures is null);
        if (generated.Measures is { } measures) Verify(oracle, prefixes, strengths, mixed, measures, generated.Token);
    }

    /// <summary>Each model's own numbers at this place, whatever it weighs; log Z by its identity −Σ w_m KL(mixture ‖ m).</summary>
    private static void Verify(ScriptedExecutor oracle, int[][] prefixes, AlignmentStrengths strengths, float[] mixed,
        TokenMeasures measures, int token)
    {
        Assert.Equal(token, measures.Token);
        Assert.Equal(oracle.Limits.ModelCount, measures.Models.Count);
        var (mixture, logZ) = (ReferenceSampler.LogProbs(mixed), 0.0);
        Assert.Equal(mixture[token], measures.LogProb, 1e-6);
        for (var model = 0; model < prefixes.Length; model++)
        {
            var alone = new double[Math.Max(1, model)];
            if (model > 0) alone[model - 1] = 1;
            var own = ReferenceSampler.LogProbs(oracle.MixedLogits(prefixes, new AlignmentStrengths(alone)));
            var divergence = mixture.Zip(own, (p, q) => Math.Exp(p) * (p - q)).Sum();
            Assert.Equal(own[token], measures.Models[model].LogProb, 1e-6);
            Assert.Equal(divergence, measures.Models[model].Divergence, 1e-6);
            logZ -= strengths.OfMember(model) * divergence;
        }
        Assert.Equal(logZ, measures.LogZ, 1e-3);
    }

    private static GenerationRequest RandomRequest(Random random, int models, int[][] beginnings)
    {
        int[] prompt = random.Next(3) == 0 ? RandomTokens(random, random.Next(1, 60))
            : [.. beginnings[random.Next(4)][..random.Next(1, 40)], .. RandomTokens(random, random.Next(0, 20))];
        return new GenerationRequest
        {
            PromptTokens = prompt,
            PromptOfModel = random.Next(4) == 0
                ? new Dictionary<int, IReadOnlyList<int>> { [random.Next(models)] = RandomTokens(random, random.Next(1, 40)) }
                : new Dictionary<int, IReadOnlyList<int>>(),
            MaxTokens = random.Next(1, 60),
            Strengths = RandomStrengths(random, models),
            Seed = random.Next(3),
            ChoiceIndex = random.Next(3),
            Client = $"{random.Next(3)}",
            Priority = random.Next(3),
            CacheSalt = random.Next(4) == 0 ? "other" : null,
            Speculation = random.Next(5) != 0,
            LogProbs = random.Next(3) == 0 ? 2 : null,
            Measures = random.Next(3) == 0 ? random.Next(3) : null,
            StopTokens = random.Next(2) == 0 ? new HashSet<int> { 3, 40 } : new HashSet<int>(),
            Sampling = RandomSampling(random),
        } is var request && request.PromptOfModel.Count == 0 && random.Next(5) == 0
            ? Scheduled(random, models, request with { PromptLogProbs = 1 }) : Scheduled(random, models, request);
    }

    private static GenerationRequest Constant(Random random, GenerationRequest request, int models) =>
        request with { Strengths = RandomStrengths(random, models), Schedule = null };

    private static GenerationRequest Scheduled(Random random, int models, GenerationRequest request)
    {
        StrengthSchedule? schedule = random.Next(6) switch
        {
            0 => new StrengthRamp(random.Next(-1, 3), random.Next(-1, 3), random.Next(30), (RampShape)random.Next(3)),
            1 => new StrengthPoints([.. Enumerable.Range(0, random.Next(1, 12)).Select(i => i == 0 ? 0 : random.Next(1, 60)).Distinct()
                .Order().Select(from => new StrengthPoint(from, RandomStrengths(random, models)))]),
            _ => null,
        };
        return schedule is null ? request : request with { Schedule = schedule, Strengths = schedule.At(0) };
    }

    private static SamplingParameters RandomSampling(Random random) => new()
    {
        Temperature = random.Next(4) == 0 ? 0 : (float)(0.1 + random.NextDouble()),
        TopK = random.Next(4) == 0 ? random.Next(1, 20) : 0,
        TopP = random.Next(4) == 0 ? 0.8f : 1,
        MinP = random.Next(4) == 0 ? 0.1f : 0,
        TypicalP = random.Next(4) == 0 ? 0.7f : 1,
        RepetitionPenalty = random.Next(4) == 0 ? 1.3f : 1,
        PresencePenalty = random.Next(4) == 0 ? 1.5f : 0,
        FrequencyPenalty = random.Next(4) == 0 ? -0.5f : 0,
        LogitBias = random.Next(4) == 0 ? new Dictionary<int, float> { [random.Next(64)] = 3 } : new Dictionary<int, float>(),
        AllowedTokens = random.Next(5) == 0 ? [1, 2, 3, 5, 8, 13, 21, 34, 40, 55] : null,
        BadWords = random.Next(4) == 0 ? [[5], [8, 13], [3, 40]] : [],
        MinTokens = random.Next(4) == 0 ? random.Next(1, 20) : 0,
        EndTokens = [3, 40],
    };

    private static AlignmentStrengths RandomStrengths(Random random, int models)
    {
        var aligned = new double[models - 1];
        for (var i = 0; i < aligned.Length; i++)
            aligned[i] = random.Next(5) switch
            {
                0 => 0,
                1 => 1,
                2 => random.NextDouble(),
                3 => random.NextDouble() * 2 - 1,
                _ => random.Next(2, 11),
            };
        if (random.Next(4) == 0) Array.Clear(aligned, 1, aligned.Length - 1);
        return new AlignmentStrengths(aligned);
    }

    private static int[] RandomTokens(Random random, int count)
    {
        // From few tokens, so that text repeats itself and n-grams are found.
        var tokens = random.Next(2) == 0 ? 64 : 4;
        return [.. Enumerable.Range(0, count).Select(_ => random.Next(tokens))];
    }

    private sealed class Counts
    {
        private int _alone, _together, _kept, _withoutPass;

        public int LongestDecode { get; private set; }

        public void Add(StepPlan plan)
        {
            _ = plan.Passes.Count switch { 0 => _withoutPass++, 1 => _alone++, _ => _together++ };
            foreach (var row in plan.Rows())
            {
                _kept += row.KeptSlots.Count;
                // A chunk of a prompt wants logits at its end only, but where it is scored.
                if (row.OutputCount == row.Tokens.Length && row.Position > 0 && plan.Readouts.All(readout => readout.Score is null))
                    LongestDecode = Math.Max(LongestDecode, row.Tokens.Length);
            }
        }

        public override string ToString() =>
            $"steps of one pass {_alone}, of several {_together}, of none {_withoutPass}; rows kept {_kept}; "
            + $"longest decode {LongestDecode}";
    }
}
