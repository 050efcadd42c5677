using DeRa.Engine;
using DeRa.Engine.Requests;
using DeRa.Engine.Scheduling;
using DeRa.Testing;
using DeRa.Torch.Execution;
using DeRa.Torch.Native;
using Microsoft.Extensions.Logging.Abstractions;
using Xunit;

namespace DeRa.Torch.Tests.Execution;

/// <summary>
/// Random traces on real models: whatever shares the batch, whatever was computed for others and whoever goes back to the queue, each
/// request's tokens are those of its solo run. Floating-point sums depend on the batch's shape, so a first difference is accepted where
/// the choice was a tie within rounding, and counted.
/// </summary>
public class TraceTests(ITestOutputHelper output)
{
    private const int Vocabulary = 300;
    private static readonly CancellationToken Stop = TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public async Task Every_request_of_a_random_trace_equals_its_solo_run(int traceSeed)
    {
        var random = new Random(traceSeed);
        int[][] beginnings = [.. Enumerable.Range(0, 3).Select(_ => RandomTokens(random, 40))];
        var requests = Enumerable.Range(0, 40).Select(_ => RandomRequest(random, beginnings)).ToArray();
        var cancelAfter = requests.Select(_ => random.Next(4) == 0 ? random.Next(0, 20) : int.MaxValue).ToArray();

        var expected = new List<IReadOnlyList<int>>();
        using (var solo = new EngineFixture(Load(cacheTokens: 256), options: new EngineOptions { PrefixCache = false }))
            foreach (var request in requests) expected.Add(await solo.RunAsync(request, Stop));

        // Few blocks and a small budget, so that rows wait, are chunked, and take over each other's blocks.
        IReadOnlyList<int>[] results;
        using (var shared = new EngineFixture(Load(cacheTokens: 256), options: new EngineOptions { MaxRunning = 8, MaxBatchTokens = 24 }))
        {
            results = await Task.WhenAll(requests.Select((request, i) => shared.RunAsync(request, cancelAfter[i], Stop)));
            Assert.Equal(0, shared.Engine.Status.BlocksInUse);
        }

        using var oracle = Load(cacheTokens: 256);
        var ties = 0;
        for (var i = 0; i < requests.Length; i++)
            ties += CountTie(oracle, requests[i], expected[i], results[i], cancelAfter[i] == int.MaxValue);
        output.WriteLine($"{ties} of {requests.Length} requests left their solo run at a tie");
        Assert.InRange(ties, 0, 2);
    }

    private static PairExecutor Load(int cacheTokens) => PairLoader.Load(new PairOptions
    {
        ReferencePath = GoldenData.Committed("pair/sft"),
        Aligned = [new("aligned", GoldenData.Committed("pair/aligned"))],
        Device = DeviceOption.Cpu,
        ContextTokens = 128,
        CacheTokens = cacheTokens,
        BlockTokens = 8,
    }, Vocabulary, progress: null, NullLogger.Instance, Stop).Executor;

    private static int[] RandomTokens(Random random, int count) =>
        [.. Enumerable.Range(0, count).Select(_ => random.Next(Vocabulary))];

    private static GenerationRequest RandomRequest(Random random, int[][] beginnings) => new()
    {
        PromptTokens = [.. beginnings[random.Next(3)].Take(random.Next(40)), .. RandomTokens(random, random.Next(1, 20))],
        MaxTokens = random.Next(1, 50),
        Strengths = random.Next(4) switch { 0 => 0, 1 => 1, 2 => random.NextDouble(), _ => random.NextDouble() * 4 - 1 },
        Seed = random.Next(3),
        ChoiceIndex = random.Next(3),
        Sampling = new SamplingParameters
        {
            Temperature = random.Next(4) == 0 ? 0 : (float)(0.3 + random.NextDouble()),
            TopK = random.Next(3) == 0 ? random.Next(1, 50) : 0,
            TopP = random.Next(3) == 0 ? 0.9f : 1,
            MinP = random.Next(3) == 0 ? 0.05f : 0,
            PresencePenalty = random.Next(3) == 0 ? 1.5f : 0,
            FrequencyPenalty = random.Next(3) == 0 ? 0.5f : 0,
            LogitBias = random.Next(3) == 0 ? new Dictionary<int, float> { [random.Next(Vocabulary)] = 3 } : new Dictionary<int, float>(),
        },
    };

    /// <summary>0 where the tokens are equal; 1 where the first difference is a tie; fails otherwise.</summary>
    private static int CountTie(
        PairExecutor oracle, GenerationRequest request, IReadOnlyList<int> expected, IReadOnlyList<int> actual, bool ranToItsEnd)
    {
        if (ranToItsEnd) Assert.Equal(expected.Count, actual.Count);
        var same = expected.Zip(actual).TakeWhile(pair => pair.First == pair.Second).Count();
        if (same == actual.Count) return 0;
        int[] prefix = [.. request.PromptTokens, .. expected.Take(same)];
        var distance = ReferenceSampler.DistanceToBoundary(MixedLogProbs(oracle, prefix, request.Strengths[0]), new SamplingRow
        {
            Parameters = request.Sampling,
            NoiseKey = GumbelNoise.Key(request.Seed, request.ChoiceIndex, stream: 0, prefix.Length),
            History = prefix,
            PromptTokens = request.PromptTokens.Count,
        });
        var scale = Math.Abs(request.Strengths[0]) + Math.Abs(1 - request.Strengths[0]);
        if (request.Sampling.Temperature == 0) Assert.InRange(distance.TopTwoLogits, 0, 1e-4 * scale);
        else Assert.InRange(Math.Min(distance.TopTwoScores, distance.Cut), 0, 1e-5 * scale / Math.Max(request.Sampling.Temperature, 0.01));
        return 1;
    }

    /// <summary>The mixture after a prefix, up to a constant, which none of the trace's parameters can see.</summary>
    private static float[] MixedLogProbs(PairExecutor oracle, int[] prefix, double strength)
    {
        var row = new TestRow
        {
            Tokens = prefix,
            Position = 0,
            BlockTable = [.. Enumerable.Range(0, oracle.Limits.BlockCount)],
            Strengths = strength,
            ScoredTokens = new int[prefix.Length],
            ScoredAlternatives = Vocabulary,
        };
        var scores = oracle.Run(row)[0].ScoredLogProbs[^1];
        var logProbs = new float[Vocabulary];
        foreach (var (token, logProb) in scores.Top) logProbs[token] = logProb;
        return logProbs;
    }
}
