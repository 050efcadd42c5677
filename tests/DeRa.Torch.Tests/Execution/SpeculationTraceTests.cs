using DeRa.Engine;
using DeRa.Engine.Requests;
using DeRa.Engine.Scheduling;
using DeRa.Testing;
using DeRa.Torch.Execution;
using DeRa.Torch.Native;
using DeRa.Torch.Tests.Adapters;
using Xunit;

namespace DeRa.Torch.Tests.Execution;

/// <summary>
/// Random traces on real models, with guesses and without, though prompts begin alike and the cache is small: each token is that of the
/// effective mixture, computed from scratch from passes of each model alone. Where a choice lies within rounding of another one, either is
/// right, and counted.
/// </summary>
public sealed class SpeculationTraceTests(ITestOutputHelper output)
{
    private const int Vocabulary = GoldenPair.VocabularySize;
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(Speculation.On, 2, 1, "float32"), InlineData(Speculation.On, 3, 2, "float32"), InlineData(Speculation.On, 1, 3, "float32")]
    [InlineData(Speculation.Auto, 2, 4, "float32"), InlineData(Speculation.Off, 3, 5, "float32")]
    [InlineData(Speculation.On, 3, 6, "bfloat16"), InlineData(Speculation.On, 2, 7, "float16")]
    public async Task Every_token_of_a_random_trace_is_that_of_the_mixture(Speculation speculation, int runners, int seed, string type)
    {
        using var adapter = new RandomAdapter("pair/sft", ["q_proj", "down_proj"], isTransposed: false);
        var random = new Random(seed);
        var ties = 0;
        using var oracle = Load(adapter, runners, type, cacheTokens: 1024);
        using (var fixture = new EngineFixture(Load(adapter, runners, type, cacheTokens: 320), options: new EngineOptions
        {
            MaxRunning = 8,
            MaxBatchTokens = 24,
            Speculation = speculation,
        }))
        {
            var models = fixture.Engine.Limits.ModelCount;
            int[][] beginnings = [.. Enumerable.Range(0, 3).Select(_ => RandomTokens(random, 40))];
            var requests = Enumerable.Range(0, 40).Select(_ => RandomRequest(random, models, beginnings)).ToArray();
            var runs = await Task.WhenAll(requests.Select(request => RunAsync(fixture, request, new Random(random.Next()))));
            Assert.Equal(0, fixture.Engine.Status.BlocksInUse);
            for (var i = 0; i < requests.Length; i++) ties += Verify(oracle, requests[i], runs[i]) ? 1 : 0;
        }
        output.WriteLine($"{ties} of 40 requests left the computed tokens at a tie");
        Assert.InRange(ties, 0, 2);
    }

    /// <summary>1: adapters over the reference, all in one pass; 2: two models; 3: two models and an adapter over the first.</summary>
    private static PairExecutor Load(RandomAdapter adapter, int runners, string type, int cacheTokens)
    {
        AlignedFolder aligned = new("aligned", GoldenData.Committed("pair/aligned")), own = new("adapter", adapter.Folder);
        return GoldenPair.Load(GoldenPair.Options() with
        {
            Aligned = runners switch { 1 => [own], 2 => [aligned], _ => [aligned, own] },
            DType = DTypeOption.Parse(type),
            CacheTokens = cacheTokens,
            BlockTokens = 8,
        }).Executor;
    }

    private static async Task<List<(TokenGenerated Token, AlignmentStrengths Strengths)>> RunAsync(
        EngineFixture fixture, GenerationRequest request, Random random)
    {
        var handle = fixture.Engine.Submit([request])[0];
        var (strengths, tokens) = (request.Strengths, new List<(TokenGenerated, AlignmentStrengths)>());
        var cancelAt = random.Next(6) == 0 ? random.Next(20) : -1;
        await foreach (var happened in handle.Events.ReadAllAsync(Stop))
        {
            if (happened is StrengthsChanged changed) strengths = changed.Strengths;
            if (happened is not TokenGenerated generated) continue;
            tokens.Add((generated, strengths));
            if (random.Next(10) == 0) _ = handle.ChangeStrengths(RandomStrengths(random, fixture.Engine.Limits.ModelCount));
            if (tokens.Count == cancelAt) handle.Cancel();
        }
        return tokens;
    }

    /// <summary>Fails where a token is another one than the rules give; true where the two lay within rounding of each other.</summary>
    private static bool Verify(
        PairExecutor oracle, GenerationRequest request, List<(TokenGenerated Token, AlignmentStrengths Strengths)> run)
    {
        int[] tokens = [.. run.Select(item => item.Token.Token)];
        var rows = Enumerable.Range(0, oracle.Limits.ModelCount).Select(model => LogProbs(
            oracle, model, request.PromptOfModel.TryGetValue(model, out var own) ? own : request.PromptTokens, tokens)).ToList();
        for (var at = 0; at < tokens.Length; at++)
        {
            var strengths = run[at].Strengths;
            var mixed = Enumerable.Range(0, Vocabulary).Select(token => (float)strengths.ActiveModels.Sum(
                model => strengths.OfMember(model) * rows[model][at][token])).ToArray();
            var scale = strengths.ActiveModels.Sum(model => Math.Abs(strengths.OfMember(model)));
            int[] history = [.. request.PromptTokens, .. tokens[..at]];
            var row = new SamplingRow
            {
                Parameters = request.Sampling,
                NoiseKey = GumbelNoise.Key(request.Seed, request.ChoiceIndex, stream: 0, history.Length),
                History = history,
                PromptTokens = request.PromptTokens.Count,
            };
            var distance = ReferenceSampler.DistanceToBoundary(mixed, row);
            var nearest = request.Sampling.Temperature == 0 ? distance.TopTwoLogits
                : Math.Min(distance.TopTwoScores, distance.Cut) * Math.Max(request.Sampling.Temperature, 0.1);
            if (ReferenceSampler.Token(mixed, row) != tokens[at])
            {
                Assert.InRange(nearest, 0, 2e-5 * scale);
                return true;
            }
            if (run[at].Token.LogProbs is { } logProbs)
                Assert.InRange(Math.Abs(ReferenceSampler.LogProbs(mixed)[tokens[at]] - logProbs.LogProb), 0, 1e-4 * scale);
        }
        return false;
    }

    /// <summary>[output tokens][vocabulary]: one model's log-probabilities at each place of the output, in one pass of its own.</summary>
    private static List<float[]> LogProbs(PairExecutor oracle, int model, IReadOnlyList<int> prompt, int[] output)
    {
        if (output.Length == 0) return [];
        int[] tokens = [.. prompt, .. output[..^1]];
        var result = oracle.Run(new TestRow
        {
            Tokens = tokens,
            Position = 0,
            BlockTable = [.. Enumerable.Range(0, oracle.Limits.BlockCount)],
            Strengths = new AlignmentStrengths([.. Enumerable.Range(1, model).Select(aligned => aligned == model ? 1.0 : 0)]),
            ScoredTokens = new int[tokens.Length],
            ScoredAlternatives = Vocabulary,
        })[0];
        return [.. result.ScoredLogProbs.Skip(prompt.Count - 1).Select(scores =>
        {
            var logProbs = new float[Vocabulary];
            foreach (var (token, logProb) in scores.Top) logProbs[token] = logProb;
            return logProbs;
        })];
    }

    /// <summary>Without repetition penalty, which sees the constant that log-probabilities have lost.</summary>
    private static GenerationRequest RandomRequest(Random random, int models, int[][] beginnings)
    {
        var request = new GenerationRequest
        {
            PromptTokens = [.. beginnings[random.Next(3)].Take(random.Next(40)), .. RandomTokens(random, random.Next(1, 20))],
            MaxTokens = random.Next(1, 50),
            Strengths = RandomStrengths(random, models),
            Seed = random.Next(3),
            ChoiceIndex = random.Next(3),
            Speculation = random.Next(6) != 0,
            LogProbs = random.Next(3) == 0 ? 2 : null,
            PromptLogProbs = random.Next(6) == 0 ? 0 : null,
            StopTokens = random.Next(2) == 0 ? new HashSet<int> { 101, 40 } : new HashSet<int>(),
            Sampling = RandomSampling(random),
        };
        return request.PromptLogProbs is null && random.Next(4) == 0 ? request with
        {
            PromptOfModel = new Dictionary<int, IReadOnlyList<int>> { [random.Next(models)] = RandomTokens(random, random.Next(1, 40)) },
        } : request;
    }

    private static SamplingParameters RandomSampling(Random random) => new()
    {
        Temperature = random.Next(4) == 0 ? 0 : (float)(0.3 + random.NextDouble()),
        TopK = random.Next(4) == 0 ? random.Next(1, 50) : 0,
        TopP = random.Next(4) == 0 ? 0.9f : 1,
        MinP = random.Next(4) == 0 ? 0.05f : 0,
        TypicalP = random.Next(5) == 0 ? 0.8f : 1,
        PresencePenalty = random.Next(3) == 0 ? 1.5f : 0,
        FrequencyPenalty = random.Next(3) == 0 ? 0.5f : 0,
        LogitBias = random.Next(4) == 0 ? new Dictionary<int, float> { [random.Next(Vocabulary)] = 3 } : new Dictionary<int, float>(),
        AllowedTokens = random.Next(6) == 0 ? [.. Enumerable.Range(90, 60)] : null,
        BadWords = random.Next(4) == 0 ? [[97], [98, 99]] : [],
        MinTokens = random.Next(4) == 0 ? random.Next(1, 20) : 0,
        EndTokens = [101, 40],
    };

    private static AlignmentStrengths RandomStrengths(Random random, int models) => new([.. Enumerable.Range(1, models - 1)
        .Select(_ => random.Next(6) switch
        {
            0 => 0,
            1 => 1,
            2 or 3 => random.NextDouble(),
            4 => random.NextDouble() * 2 - 1,
            _ => random.Next(2, 11),
        })]);

    private static int[] RandomTokens(Random random, int count) => [.. Enumerable.Range(0, count).Select(_ => random.Next(Vocabulary))];
}
