using System.ClientModel;
using DeRa.Client;
using DeRa.Client.Alignment;
using DeRa.Testing;
using DeRa.Testing.Server;
using Grpc.Core;
using Microsoft.Extensions.AI;
using Xunit;

namespace DeRa.Clients.Tests.Own;

/// <summary>Streams that are changed, stopped, left or broken while they run, by DeRa's own client over both transports.</summary>
public class RunningStreamTests
{
    public static TheoryData<string> Transports => ChatTests.Transports;

    private static CancellationToken Stop => ServerFixture.Stop;

    private static ChatOptions AtStrength(double strength) => new() { AlignmentStrength = strength };

    [Theory]
    [MemberData(nameof(Transports))]
    public async Task A_stream_changes_its_strength_and_stops(string transport)
    {
        await using var server = await ServerFixture.StartAsync(Scripts.Endless());
        using var client = new ClientUnderTest(transport, server);
        var strengths = new List<double?>();
        ChatResponseUpdate? last = null;
        string? id = null;
        await foreach (var update in client.Chat.GetStreamingResponseAsync("Hello", AtStrength(0), Stop))
        {
            if (update.FinishReason is not null) last = update;
            if (update.Text.Length == 0) continue;
            if (strengths.Count == 0) await client.ChangeAsync(id = update.GenerationId!, 1.5);
            if (strengths.Count > 0 && strengths[^1] == 0 && update.AlignmentStrength == 1.5) await client.StopAsync(id!);
            strengths.Add(update.AlignmentStrength);
        }
        Assert.Equal((0, 1.5), (strengths[0], strengths[^1]));
        Assert.Equal([0, 1.5], strengths.Distinct());
        Assert.Equal(ChatFinishReason.Stop, last?.FinishReason);
        var late = await Assert.ThrowsAnyAsync<Exception>(() => client.ChangeAsync(id!, 1));
        Assert.True(late is ClientResultException { Status: 404 } or RpcException { StatusCode: StatusCode.NotFound }, late.Message);
    }

    [Theory]
    [MemberData(nameof(Transports))]
    public async Task Strengths_of_several_aligned_models_change_by_name(string transport)
    {
        await using var server = await ServerFixture.StartAsync(new ScriptedExecutor(contextTokens: 1 << 20, blockTokens: 1 << 12,
            runners: [new([0], ""), new([1], ""), new([2], "")])
        { Script = _ => 'a' }, aligned: ["kind", "brief"]);
        using var client = new ClientUnderTest(transport, server);
        var strengths = new Dictionary<string, double> { ["kind"] = 0.5, ["brief"] = 0.25 };
        string? changed = null;
        await foreach (var update in client.Chat.GetStreamingResponseAsync("Hello", AtStrength(1), Stop))
        {
            if (update.Text.Length == 0) continue;
            if (changed is null) await client.ChangeNamedAsync(changed = update.GenerationId!, strengths);
            if (update.AlignmentStrengths.GetValueOrDefault("brief") != 0.25) continue;
            Assert.Equal((0.5, null), (update.AlignmentStrengths["kind"], update.AlignmentStrength));
            break;
        }
    }

    [Fact]
    public async Task Over_HTTP_a_change_says_where_it_took_effect_and_is_of_one_choice()
    {
        await using var server = await ServerFixture.StartAsync(Scripts.Endless());
        var client = new DeRaClient(new Uri(server.Http.BaseAddress!, "v1"));
        var options = AtStrength(0);
        options.ChoiceCount = 2;
        await foreach (var update in client.GetChatClient().GetStreamingResponseAsync("Hello", options, Stop))
        {
            if (update.Text.Length == 0) continue;
            var changed = Assert.Single(await client.ChangeStrengthAsync(update.GenerationId!, 2, choice: 1, Stop));
            Assert.Equal(1, changed.Index);
            Assert.True(changed.FromToken > 0);
            var wrong = await Assert.ThrowsAsync<ClientResultException>(
                () => client.ChangeStrengthAsync(update.GenerationId!, 99, cancellation: Stop));
            Assert.Equal("alignment_strength", DeRaError.Of(wrong)?.Field);
            break;
        }
    }

    [Theory]
    [MemberData(nameof(Transports))]
    public async Task Leaving_a_stream_or_cancelling_a_call_frees_its_blocks(string transport)
    {
        await using var server = await ServerFixture.StartAsync(Scripts.Endless());
        using var client = new ClientUnderTest(transport, server);
        await foreach (var update in client.Chat.GetStreamingResponseAsync("Hello", cancellationToken: Stop))
            if (update.Text.Length > 0) break;
        await ServerFixture.EventuallyAsync(() => server.Engine.Status.BlocksInUse == 0);

        using var leave = CancellationTokenSource.CreateLinkedTokenSource(Stop);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () =>
        {
            await foreach (var update in client.Chat.GetStreamingResponseAsync("Hello", cancellationToken: leave.Token))
                if (update.Text.Length > 0) await leave.CancelAsync();
        });
        await ServerFixture.EventuallyAsync(() => server.Engine.Status.BlocksInUse == 0);

        using var give = CancellationTokenSource.CreateLinkedTokenSource(Stop);
        var call = client.Chat.GetResponseAsync("Hello", cancellationToken: give.Token);
        await ServerFixture.EventuallyAsync(() => server.Engine.Status.RunningSequences == 1);
        await give.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => call);
        await ServerFixture.EventuallyAsync(() => server.Engine.Status.BlocksInUse == 0);
    }

    [Theory]
    [MemberData(nameof(Transports))]
    public async Task A_stream_that_breaks_after_its_first_piece_throws(string transport)
    {
        var executor = Scripts.Saying("abcdefgh");
        executor.ReadoutError = readout =>
            readout.Sampling!.Value.History.Length - readout.Sampling.Value.PromptTokens > 3 ? "logits are not finite" : null;
        await using var server = await ServerFixture.StartAsync(executor);
        using var client = new ClientUnderTest(transport, server);
        var seen = "";
        var broken = await Assert.ThrowsAnyAsync<Exception>(async () =>
        {
            await foreach (var update in client.Chat.GetStreamingResponseAsync("Hello", cancellationToken: Stop)) seen += update.Text;
        });
        Assert.True(broken is ClientResultException or RpcException { StatusCode: StatusCode.Internal }, broken.ToString());
        Assert.Equal("abcd", seen);
    }
}
