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
/// Random traces on real models, with guesses: whatever shares the batch, whatever was computed for others and whoever goes back to the
/// queue, each request's tokens are those of its solo run, without guesses and with nothing kept or measured.
/// </summary>
public class TraceTests
{
    private const int Vocabulary = 300;
    private static readonly CancellationToken Stop = TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(1, "float32", "auto"), InlineData(2, "float32", "bfloat16"), InlineData(3, "bfloat16", "auto")]
    [InlineData(4, "bfloat16", "float16"), InlineData(5, "float16", "auto")]
    public async Task Every_request_of_a_random_trace_equals_its_solo_run(int traceSeed, string type, string cacheType)
    {
        var random = new Random(traceSeed);
        int[][] beginnings = [.. Enumerable.Range(0, 3).Select(_ => RandomTokens(random, 40))];
        var requests = Enumerable.Range(0, 40).Select(_ => RandomRequest(random, beginnings)).ToArray();
        var cancelAfter = requests.Select(_ => random.Next(4) == 0 ? random.Next(0, 20) : int.MaxValue).ToArray();

        var expected = new List<IReadOnlyList<int>>();
        var alone = new EngineOptions { Speculation = Speculation.Off, PrefixCache = false };
        using (var solo = new EngineFixture(Load(type, cacheType), options: alone))
            foreach (var request in requests) expected.Add(await solo.RunAsync(request with { Measures = null }, Stop));

        // Few blocks and a small budget, so that rows wait, are chunked, and take over each other's blocks.
        using var shared = new EngineFixture(Load(type, cacheType), options: new EngineOptions
        {
            MaxRunning = 8,
            MaxBatchTokens = 24,
            Speculation = Speculation.On,
        });
        var results = await Task.WhenAll(requests.Select((request, i) => shared.RunAsync(request, cancelAfter[i], Stop)));
        Assert.Equal(0, shared.Engine.Status.BlocksInUse);
        for (var i = 0; i < requests.Length; i++)
            Assert.Equal(cancelAfter[i] == int.MaxValue ? expected[i] : expected[i].Take(results[i].Count), results[i]);
    }

    private static PairExecutor Load(string type, string cacheType) => PairLoader.Load(new PairOptions
    {
        ReferencePath = GoldenData.Committed("pair/sft"),
        Aligned = [new("aligned", GoldenData.Committed("pair/aligned"))],
        Device = DeviceOption.Cpu,
        DType = DTypeOption.Parse(type),
        ContextTokens = 128,
        CacheDType = CacheDTypeOption.Parse(cacheType),
        CacheTokens = 256,
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
        Measures = random.Next(3) == 0 ? random.Next(3) : null,
    };
}
