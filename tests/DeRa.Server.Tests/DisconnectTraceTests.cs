using System.Net.Http.Json;
using DeRa.Protos.V1;
using DeRa.Testing;
using Xunit;

namespace DeRa.Server.Tests;

/// <summary>
/// Random requests over both transports, some of whose clients go away: each that stays gets the tokens of its solo run, each that
/// goes got a prefix of them, and no block stays behind.
/// </summary>
public class DisconnectTraceTests
{
    private static readonly CancellationToken Stop = TestContext.Current.CancellationToken;

    private sealed record Request(
        double Strength, long Seed, int[] Prompt, int MaxTokens, double Temperature, bool Grpc, int LeaveAfter);

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public async Task Clients_that_go_away_disturb_no_one_and_leave_no_block(int traceSeed)
    {
        var random = new Random(traceSeed);
        var requests = Enumerable.Range(0, 48).Select(_ => RandomRequest(random)).ToArray();
        var expected = new List<IReadOnlyList<int>>();
        await using (var solo = await ServerFixture.StartAsync())
            foreach (var request in requests) expected.Add(await RunAsync(solo, request with { LeaveAfter = int.MaxValue }));

        await using var server = await ServerFixture.StartAsync(new ScriptedExecutor(blockCount: 48),
            new Engine.EngineOptions { MaxRunning = 6, MaxBatchTokens = 16 });
        var actual = await Task.WhenAll(requests.Select(request => RunAsync(server, request)));
        for (var i = 0; i < requests.Length; i++)
        {
            Assert.Equal(expected[i].Take(actual[i].Count), actual[i]);
            if (requests[i].LeaveAfter == int.MaxValue) Assert.Equal(expected[i].Count, actual[i].Count);
        }
        await ServerFixture.EventuallyAsync(() => server.Engine.Status is { BlocksInUse: 0, QueuedSequences: 0, RunningSequences: 0 });
    }

    private static Request RandomRequest(Random random) => new(
        random.Next(4) switch { 0 => 0, 1 => 1, _ => random.NextDouble() * 3 - 0.5 },
        random.Next(3),
        [.. Enumerable.Range(0, random.Next(1, 40)).Select(_ => random.Next(256))],
        random.Next(1, 40),
        random.Next(4) == 0 ? 0 : 0.8,
        random.Next(2) == 0,
        random.Next(3) == 0 ? random.Next(0, 10) : int.MaxValue);

    private static Task<List<int>> RunAsync(ServerFixture server, Request request) =>
        request.Grpc ? RunGrpcAsync(server, request) : RunHttpAsync(server, request);

    /// <summary>The tokens received before leaving; leaving = cancelling the call or closing the connection.</summary>
    private static async Task<List<int>> RunGrpcAsync(ServerFixture server, Request request)
    {
        var tokens = new List<int>();
        using var call = server.Inference.GenerateStream(new GenerateStreamRequest
        {
            Prompt = new Prompt { TokenIds = new TokenIds { Ids = { request.Prompt } } },
            Options = new GenerationOptions
            {
                AlignmentStrength = request.Strength,
                Seed = request.Seed,
                MaxTokens = request.MaxTokens,
                Temperature = request.Temperature,
                IgnoreEos = true,
            },
        }, cancellationToken: Stop);
        while (tokens.Count < request.LeaveAfter && await call.ResponseStream.MoveNext(Stop))
            if (call.ResponseStream.Current.Delta is { } delta) tokens.AddRange(delta.Tokens.Select(token => token.Id));
        return tokens;
    }

    private static async Task<List<int>> RunHttpAsync(ServerFixture server, Request request)
    {
        var tokens = new List<int>();
        using var message = new HttpRequestMessage(HttpMethod.Post, "/v1/completions")
        {
            Content = JsonContent.Create(new
            {
                prompt = request.Prompt,
                alignment_strength = request.Strength,
                seed = request.Seed,
                max_tokens = request.MaxTokens,
                temperature = request.Temperature,
                ignore_eos = true,
                return_token_ids = true,
                stream = true,
            }),
        };
        using var response = await server.Http.SendAsync(message, HttpCompletionOption.ResponseHeadersRead, Stop);
        using var lines = new StreamReader(await response.Content.ReadAsStreamAsync(Stop));
        while (tokens.Count < request.LeaveAfter && await lines.ReadLineAsync(Stop) is { } line)
            tokens.AddRange(TokenIds(line));
        return tokens;
    }

    private static IEnumerable<int> TokenIds(string line)
    {
        if (!line.StartsWith("data: {", StringComparison.Ordinal)) return [];
        using var chunk = System.Text.Json.JsonDocument.Parse(line["data: ".Length..]);
        return chunk.RootElement.GetProperty("choices")[0].TryGetProperty("token_ids", out var ids)
            && ids.ValueKind == System.Text.Json.JsonValueKind.Array ? [.. ids.EnumerateArray().Select(id => id.GetInt32())] : [];
    }
}
