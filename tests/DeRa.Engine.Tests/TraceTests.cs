using DeRa.Engine.Requests;
using DeRa.Testing;
using Xunit;

namespace DeRa.Engine.Tests;

/// <summary>Random traces: whatever shares the batch, each request's tokens are those of its solo run, and no block stays behind.</summary>
public class TraceTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    public async Task Every_request_of_a_random_trace_equals_its_solo_run(int traceSeed)
    {
        var stop = TestContext.Current.CancellationToken;
        var random = new Random(traceSeed);
        var requests = Enumerable.Range(0, 60).Select(_ => RandomRequest(random)).ToArray();
        var cancelAfter = requests.Select(_ => random.Next(4) == 0 ? random.Next(0, 20) : int.MaxValue).ToArray();

        using var solo = new EngineFixture(new ScriptedExecutor());
        var expected = new List<IReadOnlyList<int>>();
        foreach (var request in requests) expected.Add(await solo.RunAsync(request, stop));

        // Few blocks and a small budget, so that rows wait, are chunked, and take over each other's blocks.
        using var shared = new EngineFixture(new ScriptedExecutor(blockCount: 40), options: new EngineOptions
        {
            MaxRunning = 6,
            MaxBatchTokens = 16,
        });
        var results = await Task.WhenAll(requests.Select((request, i) => shared.RunAsync(request, cancelAfter[i], stop)));

        for (var i = 0; i < requests.Length; i++)
        {
            Assert.Equal(expected[i].Take(results[i].Count), results[i]);
            if (cancelAfter[i] == int.MaxValue) Assert.Equal(expected[i].Count, results[i].Count);
        }
        Assert.Equal(0, shared.Engine.Status.BlocksInUse);
    }

    private static GenerationRequest RandomRequest(Random random) => new()
    {
        PromptTokens = [.. Enumerable.Range(0, random.Next(1, 60)).Select(_ => random.Next(256))],
        MaxTokens = random.Next(1, 60),
        Strengths = random.Next(4) switch { 0 => 0, 1 => 1, 2 => random.NextDouble(), _ => random.NextDouble() * 4 - 1 },
        Seed = random.Next(3),
        ChoiceIndex = random.Next(3),
        StopTokens = random.Next(2) == 0 ? new HashSet<int> { ByteTokenizer.Eos, 3, 4, 5 } : new HashSet<int>(),
        Sampling = new SamplingParameters
        {
            Temperature = random.Next(4) == 0 ? 0 : (float)(0.1 + random.NextDouble()),
            PresencePenalty = random.Next(3) == 0 ? 1.5f : 0,
            LogitBias = random.Next(3) == 0 ? new Dictionary<int, float> { [random.Next(258)] = 3 } : new Dictionary<int, float>(),
        },
    };
}
