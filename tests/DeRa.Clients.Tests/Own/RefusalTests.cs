using System.ClientModel;
using DeRa.Client;
using DeRa.Client.Alignment;
using DeRa.Server.Options;
using DeRa.Serving;
using DeRa.Testing;
using DeRa.Testing.Server;
using Grpc.Core;
using Microsoft.Extensions.AI;
using Xunit;

namespace DeRa.Clients.Tests.Own;

/// <summary>What DeRa's own client does where a server refuses, over both transports.</summary>
public class RefusalTests
{
    public static TheoryData<string> Transports => ChatTests.Transports;

    private static CancellationToken Stop => ServerFixture.Stop;

    [Theory]
    [MemberData(nameof(Transports))]
    public async Task A_bad_value_is_an_error_that_names_the_field_and_its_range(string transport)
    {
        await using var server = await ServerFixture.StartAsync();
        using var client = new ClientUnderTest(transport, server);
        foreach (var (options, field, range) in new (ChatOptions, string, string)[]
        {
            (new() { AlignmentStrength = 99 }, "alignment_strength", "between -1 and 10"),
            (new() { Temperature = 3 }, "temperature", "2"),
            (new() { Measures = new(Top: 21) }, "measures.top", "20"),
        })
        {
            var whole = await Assert.ThrowsAnyAsync<Exception>(() => client.Chat.GetResponseAsync("Hello", options, Stop));
            var streamed = await Assert.ThrowsAnyAsync<Exception>(async () =>
                await client.Chat.GetStreamingResponseAsync("Hello", options, Stop).ToListAsync(Stop));
            foreach (var error in (DeRaError?[])[DeRaError.Of(whole), DeRaError.Of(streamed)])
            {
                Assert.Equal((field, null), (error?.Field, error?.RetryAfter));
                Assert.Contains(range, error!.Message, StringComparison.Ordinal);
            }
            Assert.True(whole is ClientResultException { Status: 400 } or RpcException { StatusCode: StatusCode.InvalidArgument });
        }
        Assert.Null(DeRaError.Of(new IOException("away")));
    }

    [Theory]
    [MemberData(nameof(Transports))]
    public async Task An_unknown_model_a_wrong_key_and_a_bad_score_are_refused(string transport)
    {
        using var folder = new TemporaryFolder();
        await using var server = await SecuredServer.StartAsync(SecuredServer.WithKeys(folder));
        using var keyed = new ClientUnderTest(transport, server, SecuredServer.Key, model: "gpt-5");
        using var locked = new ClientUnderTest(transport, server);
        var unknown = await Assert.ThrowsAnyAsync<Exception>(() => keyed.Chat.GetResponseAsync("Hello", cancellationToken: Stop));
        Assert.True(unknown is ClientResultException { Status: 404 } or RpcException { StatusCode: StatusCode.NotFound }, unknown.Message);
        var refused = await Assert.ThrowsAnyAsync<Exception>(() => locked.Chat.GetResponseAsync("Hello", cancellationToken: Stop));
        Assert.True(refused is ClientResultException { Status: 401 } or RpcException { StatusCode: StatusCode.Unauthenticated });
        Assert.Equal("fine", (await keyed.Chat.GetResponseAsync("Hello", new ChatOptions { ModelId = "pair" }, Stop)).Text);
        var score = await Assert.ThrowsAnyAsync<Exception>(() => keyed.ScoreAsync([ScoreItem.OfTexts("a", "b")], [99], null));
        Assert.StartsWith("alignment_sweep[0]", DeRaError.Of(score)?.Field, StringComparison.Ordinal);
    }

    [Theory]
    [MemberData(nameof(Transports))]
    public async Task A_server_that_loads_is_asked_again(string transport)
    {
        foreach (var streams in (bool[])[false, true])
        {
            var loaded = new TaskCompletionSource<ServedPair>();
            await using var server = await ServerFixture.StartLoadingAsync((_, _) => loaded.Task);
            var refusals = 0;
            using var client = new ClientUnderTest(transport, server, refused: async () =>
            {
                refusals++;
                loaded.TrySetResult(ServerFixture.Pair(Scripts.Saying("here")));
                await server.PhaseChangedAsync();
            });
            var text = streams
                ? string.Concat(await client.Chat.GetStreamingResponseAsync("Hello", cancellationToken: Stop).ToListAsync(Stop))
                : (await client.Chat.GetResponseAsync("Hello", cancellationToken: Stop)).Text;
            Assert.Equal(("here", 1), (text, refusals));
        }
    }

    [Theory]
    [MemberData(nameof(Transports))]
    public async Task One_request_too_many_is_asked_again_and_says_how_long_to_wait(string transport)
    {
        await using var server = await SecuredServer.StartAsync(
            new ServerOptions { Key = new() { MaxConcurrentRequests = 1 } }, Scripts.Endless());
        using var first = new ClientUnderTest(transport, server);
        var running = first.Chat.GetStreamingResponseAsync("Hello", cancellationToken: Stop).GetAsyncEnumerator(Stop);
        Assert.True(await running.MoveNextAsync());
        var freed = false;
        using var second = new ClientUnderTest(transport, server, refused: async () =>
        {
            if (freed) return;
            freed = true;
            await running.DisposeAsync();
            await ServerFixture.EventuallyAsync(() => server.Engine.Status.RunningSequences == 0);
        });
        var response = await second.Chat.GetResponseAsync("Hello", new ChatOptions { MaxOutputTokens = 3 }, Stop);
        Assert.Equal((3, true), (response.Usage!.OutputTokenCount, freed));
    }

    [Theory]
    [MemberData(nameof(Transports))]
    public async Task What_the_server_has_nothing_for_is_refused_before_it_is_sent(string transport)
    {
        await using var server = await ServerFixture.StartAsync();
        using var client = new ClientUnderTest(transport, server);
        var tools = new ChatOptions { Tools = [AIFunctionFactory.Create(() => 1, "one")] };
        Assert.Contains("Tools", (await Assert.ThrowsAsync<NotSupportedException>(
            () => client.Chat.GetResponseAsync("Hello", tools, Stop))).Message, StringComparison.Ordinal);
        var json = new ChatOptions { ResponseFormat = ChatResponseFormat.Json };
        Assert.Contains("ResponseFormat", (await Assert.ThrowsAsync<NotSupportedException>(
            () => client.Chat.GetResponseAsync("Hello", json, Stop))).Message, StringComparison.Ordinal);
        var picture = new ChatMessage(ChatRole.User, [new DataContent(new byte[] { 1 }, "image/png")]);
        Assert.Contains("DataContent", (await Assert.ThrowsAsync<NotSupportedException>(
            () => client.Chat.GetResponseAsync([picture], cancellationToken: Stop))).Message, StringComparison.Ordinal);
        var misspelt = new ChatOptions { AdditionalProperties = new() { ["alignment_strengt"] = 1 } };
        Assert.Contains("alignment_strengt", (await Assert.ThrowsAnyAsync<Exception>(
            () => client.Chat.GetResponseAsync("Hello", misspelt, Stop))).Message, StringComparison.Ordinal);
    }
}
