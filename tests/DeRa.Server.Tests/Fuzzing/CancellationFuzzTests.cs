using System.Net;
using System.Net.Sockets;
using System.Text;
using CsCheck;
using DeRa.Engine;
using DeRa.Protos.V1;
using DeRa.Testing;
using Grpc.Core;
using Xunit;

namespace DeRa.Server.Tests.Fuzzing;

/// <summary>Clients that leave at any byte of a request or an answer, or at any step of the engine: nothing of them stays behind.</summary>
public class CancellationFuzzTests
{
    private static readonly CancellationToken Stop = TestContext.Current.CancellationToken;

    private static readonly Gen<Leaver> Leavers = Gen.Select(
        Gen.Frequency<Entry>((1, Gen.Const(Entry.Socket)), (1, Gen.Const(Entry.Http)),
            (3, Gen.OneOf(Entry.Grpc, Entry.GrpcChat, Entry.Converse))),
        Gen.Int[0, 80], Gen.Int[1, 40], Gen.Bool, Gen.Double[0, 1], Gen.Int[0, 3000],
        (entry, prompt, tokens, stream, sent, received) => new Leaver(entry, prompt, tokens, stream, sent, received));

    private enum Entry
    {
        Socket,
        Http,
        Grpc,
        GrpcChat,
        Converse,
    }

    /// <param name="Entry">Over what.</param>
    /// <param name="PromptLength">Characters of the prompt.</param>
    /// <param name="MaxTokens">Tokens asked for.</param>
    /// <param name="Stream">Whether as a stream.</param>
    /// <param name="Sent">How much of its request it sends, above 0.8 all; of a socket only.</param>
    /// <param name="Received">After how many bytes it leaves, or, where it is no socket, after a hundredth as many steps.</param>
    private sealed record Leaver(Entry Entry, int PromptLength, int MaxTokens, bool Stream, double Sent, int Received)
    {
        public string Json => $$"""
            {"prompt":"{{new string('a', PromptLength)}}","max_tokens":{{MaxTokens}},
            "ignore_eos":true,"stream":{{(Stream ? "true" : "false")}}}
            """;
    }

    [Fact]
    public async Task Whoever_leaves_whenever_disturbs_no_one_and_leaves_no_block()
    {
        const string staying = """{"prompt":"I stay","max_tokens":20,"seed":5,"ignore_eos":true,"return_token_ids":true}""";
        var executor = new ScriptedExecutor(blockCount: 40);
        await using var server = await ServerFixture.StartAsync(executor,
            new EngineOptions { MaxRunning = 3, MaxBatchTokens = 12 });
        var alone = await server.CompleteAsync(staying);
        await FuzzRun.RunAsync(Leavers.Array[1, 8], leavers => string.Join('\n', leavers.AsEnumerable()), async leavers =>
        {
            using var steps = new StepCounter(executor);
            var leaving = leavers.Select(leaver => LeaveAsync(server, leaver, steps)).ToArray();
            var stayed = await server.CompleteAsync(staying);
            await Task.WhenAll(leaving);
            Assert.Equal(alone.Choice().GetRawText(), stayed.Choice().GetRawText());
            await ServerFixture.EventuallyAsync(() => server.Engine.Status is { BlocksInUse: 0, RunningSequences: 0, QueuedSequences: 0 });
        });
    }

    private static async Task LeaveAsync(ServerFixture server, Leaver leaver, StepCounter steps)
    {
        if (leaver.Entry == Entry.Socket)
        {
            await LeaveSocketAsync(server, leaver);
            return;
        }
        var leave = steps.TokenAfter(leaver.Received / 100);
        try
        {
            await (leaver.Entry == Entry.Http ? SendAsync(server, leaver, leave) : CallAsync(server, leaver, leave));
        }
        catch (Exception end) when (leave.IsCancellationRequested
            && end is OperationCanceledException or RpcException or IOException or HttpRequestException)
        {
            // It has left.
        }
    }

    private static async Task SendAsync(ServerFixture server, Leaver leaver, CancellationToken leave)
    {
        using var content = new StringContent(leaver.Json, Encoding.UTF8, "application/json");
        using var response = await server.Http.PostAsync("/v1/completions", content, leave);
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
    }

    private static async Task CallAsync(ServerFixture server, Leaver leaver, CancellationToken leave)
    {
        var (prompt, options) = (new Prompt { Text = new string('a', leaver.PromptLength) },
            new GenerationOptions { MaxTokens = leaver.MaxTokens, IgnoreEos = true });
        var talk = new Conversation { Messages = { new ChatMessage { Role = Role.User, Content = prompt.Text } } };
        var inference = server.Inference;
        await ((leaver.Entry, leaver.Stream) switch
        {
            (Entry.Converse, _) => ConverseAsync(server, new() { Prompt = prompt, Options = options }, leave),
            (Entry.GrpcChat, false) => inference.ChatAsync(new() { Conversation = talk, Options = options },
                cancellationToken: leave).ResponseAsync,
            (Entry.GrpcChat, true) =>
                ReadAsync(inference.ChatStream(new() { Conversation = talk, Options = options }, cancellationToken: leave), leave),
            (_, false) => inference.GenerateAsync(new() { Prompt = prompt, Options = options }, cancellationToken: leave).ResponseAsync,
            (_, true) => ReadAsync(inference.GenerateStream(new() { Prompt = prompt, Options = options }, cancellationToken: leave), leave),
        });
    }

    private static async Task ReadAsync<T>(AsyncServerStreamingCall<T> call, CancellationToken leave)
    {
        using (call)
            while (await call.ResponseStream.MoveNext(leave))
            {
            }
    }

    /// <summary>Changes the strength at each event for as long as it stays.</summary>
    private static async Task ConverseAsync(ServerFixture server, ConverseStart start, CancellationToken leave)
    {
        using var call = server.Inference.Converse(cancellationToken: leave);
        await call.RequestStream.WriteAsync(new() { Start = start }, leave);
        ConverseResponse? last = null;
        for (var events = 0; await call.ResponseStream.MoveNext(leave); events++)
        {
            last = call.ResponseStream.Current;
            if (last.Finished is null) await ChangeAsync(call.RequestStream, events % 3, leave);
        }
        Assert.NotNull(last?.Finished);
    }

    private static async Task ChangeAsync(IClientStreamWriter<ConverseRequest> commands, double strength, CancellationToken leave)
    {
        try
        {
            await commands.WriteAsync(new() { Change = new() { AlignmentStrength = strength } }, leave);
        }
        catch (Exception over) when (over is RpcException or InvalidOperationException && !leave.IsCancellationRequested)
        {
            // The answer may have ended meanwhile; what is left of it can still be read.
        }
    }

    private static async Task LeaveSocketAsync(ServerFixture server, Leaver leaver)
    {
        using var socket = new TcpClient();
        await socket.ConnectAsync(IPAddress.Loopback, server.Http.BaseAddress!.Port, Stop);
        // Half of them close, the others break off.
        if (leaver.MaxTokens % 2 == 0) socket.LingerState = new LingerOption(true, 0);
        var head = "POST /v1/completions HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
            + $"Content-Length: {leaver.Json.Length}\r\n\r\n";
        var request = Encoding.ASCII.GetBytes(head + leaver.Json);
        var sent = leaver.Sent > 0.8 ? request.Length : (int)(request.Length * leaver.Sent);
        await socket.GetStream().WriteAsync(request.AsMemory(0, sent), Stop);
        if (sent < request.Length) return;
        var received = "";
        var buffer = new byte[64];
        while (received.Length < leaver.Received)
        {
            var count = await socket.GetStream()
                .ReadAsync(buffer.AsMemory(0, Math.Min(buffer.Length, leaver.Received - received.Length)), Stop);
            received += Encoding.ASCII.GetString(buffer, 0, count);
            if (count == 0 || (!leaver.Stream && received.Length > 100) || received.Contains("DONE", StringComparison.Ordinal)) return;
        }
    }

    /// <summary>Cancels on the engine's own thread, before a certain step: in the queue, in prefill or in decode.</summary>
    private sealed class StepCounter : IDisposable
    {
        private readonly ScriptedExecutor _executor;
        private readonly List<(int Step, CancellationTokenSource Leave)> _leaving = [];
        private readonly Lock _gate = new();
        private int _steps;

        public StepCounter(ScriptedExecutor executor)
        {
            _executor = executor;
            executor.BeforeStep = _ => Step();
        }

        /// <summary>A token that is cancelled once so many steps more have begun.</summary>
        public CancellationToken TokenAfter(int steps)
        {
            var leave = new CancellationTokenSource();
            lock (_gate) _leaving.Add((_steps + steps, leave));
            return leave.Token;
        }

        public void Dispose() => _executor.BeforeStep = null;

        private void Step()
        {
            lock (_gate)
            {
                _steps++;
                foreach (var (_, leave) in _leaving.Where(entry => entry.Step < _steps)) _ = leave.CancelAsync();
                _leaving.RemoveAll(entry => entry.Step < _steps);
            }
        }
    }
}
