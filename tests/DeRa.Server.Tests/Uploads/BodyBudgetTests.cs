using DeRa.Protos.V1;
using DeRa.Server.Options;
using DeRa.Server.Uploads;
using DeRa.Testing;
using Google.Rpc;
using Grpc.Core;
using Microsoft.Extensions.DependencyInjection;
using Xunit;

namespace DeRa.Server.Tests.Uploads;

/// <summary>What is held of bodies, over all clients, and where they are encoded.</summary>
public sealed class BodyBudgetTests : IDisposable
{
    private const int BodyBytes = 2000;
    private static readonly CancellationToken Stop = TestContext.Current.CancellationToken;
    private static readonly ServerOptions Options =
        new() { Body = new() { MaxBodyBytes = BodyBytes, MaxPendingBodyBytes = 2 * BodyBytes } };
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    private static long Held(ServerFixture server) => server.Services.GetRequiredService<BodyBudget>().Held;

    private static async Task<Http1Upload> StallAsync(ServerFixture server, string path, string? key = null)
    {
        var held = Held(server);
        var upload = await Http1Upload.BeginAsync(server.Http.BaseAddress!, path, $"Content-Length: {BodyBytes}", key);
        await upload.SendAsync(new string(' ', BodyBytes - 1));
        await ServerFixture.EventuallyAsync(() => Held(server) == held + BodyBytes - 1);
        return upload;
    }

    [Fact]
    public async Task Where_all_is_held_a_body_is_refused_and_one_that_is_done_makes_room()
    {
        await using var server = await SecuredServer.StartAsync(Options);
        using (var first = await StallAsync(server, "/tokenize"))
        {
            using var second = await StallAsync(server, "/v1/chat/completions");
            var refused = await server.CompleteAsync("""{"prompt":"a"}""");
            Assert.Equal((503, "overloaded_error", "1"), (refused.Status, refused.Type, refused.Headers["Retry-After"]));
            var call = new GenerateRequest { Prompt = new Prompt { Text = "a" } };
            var fault =
                await Assert.ThrowsAsync<RpcException>(async () => await server.Inference.GenerateAsync(call, cancellationToken: Stop));
            Assert.Equal((StatusCode.Unavailable, 1), (fault.StatusCode, fault.GetRpcStatus()!.GetDetail<RetryInfo>()!.RetryDelay.Seconds));
            using var conversation = server.Inference.Converse(cancellationToken: Stop);
            await conversation.RequestStream.WriteAsync(new ConverseRequest { Start = new() { Prompt = call.Prompt } }, Stop);
            fault = await Assert.ThrowsAsync<RpcException>(async () => await conversation.ResponseStream.MoveNext(Stop));
            Assert.Equal(StatusCode.Unavailable, fault.StatusCode);
            Assert.Equal(200, (await server.GetAsync("/readyz")).Status);
            // Ends with an error, but it ends.
            await second.SendAsync("x");
            Assert.Equal(400, await second.StatusAsync());
            Assert.Equal(200, (await server.CompleteAsync("""{"prompt":"a"}""")).Status);
        }
        await ServerFixture.EventuallyAsync(() => Held(server) == 0);
    }

    [Fact]
    public async Task One_key_leaves_half_to_the_others()
    {
        await using var server = await SecuredServer.StartAsync(
            Options with { Key = SecuredServer.WithKeys(_folder).Key });
        using var stalled = await StallAsync(server, "/v1/completions", SecuredServer.Key);
        Assert.Equal(503, (await server.CompleteWithAsync(SecuredServer.Key)).Status);
        Assert.Equal(200, (await server.CompleteWithAsync(SecuredServer.OtherKey)).Status);
    }

    [Fact]
    public async Task A_key_may_have_the_whole_of_one_body()
    {
        await using var server = await SecuredServer.StartAsync(
            Options with { Key = SecuredServer.WithKeys(_folder).Key, Body = Options.Body with { MaxPendingBodyBytes = BodyBytes } });
        Assert.Equal(200, (await server.CompleteWithAsync(SecuredServer.Key, """{"prompt":"a"}""".PadRight(BodyBytes))).Status);
        Assert.Equal(0, Held(server));
    }

    [Fact]
    public async Task Long_requests_are_encoded_a_few_at_a_time_away_from_the_threads_that_serve()
    {
        using var encoders = new Encoders();
        using var go = new SemaphoreSlim(0);
        var (running, most, onPool) = (0, 0, false);
        int Encode()
        {
            var now = Interlocked.Increment(ref running);
            InterlockedMax(ref most, now);
            onPool |= Thread.CurrentThread.IsThreadPoolThread;
            go.Wait(Stop);
            return Interlocked.Decrement(ref running);
        }
        var all = Enumerable.Range(0, 4 * Encoders.AtOnce)
            .Select(_ => encoders.RunAsync(Encoders.ShortBytes + 1, Encode, Stop)).ToArray();
        await ServerFixture.EventuallyAsync(() => Volatile.Read(ref running) == Encoders.AtOnce);
        // A short one goes past all of them, at once.
        Assert.Equal(7, await encoders.RunAsync(Encoders.ShortBytes, () => 7, Stop));
        using var gone = new CancellationTokenSource();
        var waiting = encoders.RunAsync(Encoders.ShortBytes + 1, () => 8, gone.Token);
        await gone.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => waiting);
        go.Release(all.Length);
        await Task.WhenAll(all);
        Assert.Equal((Encoders.AtOnce, false), (most, onPool));
        Assert.Equal(9, await encoders.RunAsync(Encoders.ShortBytes + 1, () => 9, Stop));
    }

    private static void InterlockedMax(ref int target, int value)
    {
        int seen;
        while ((seen = Volatile.Read(ref target)) < value && Interlocked.CompareExchange(ref target, value, seen) != seen) { }
    }

    [Fact]
    public async Task Both_doors_encode_what_is_long_there()
    {
        var pool = new System.Collections.Concurrent.ConcurrentBag<bool>();
        var executor = new ScriptedExecutor(contextTokens: 1 << 20, blockTokens: 1 << 12, blockCount: 1 << 9)
        {
            Script = _ =>
            ByteTokenizer.Eos
        };
        var pair = ServerFixture.Pair(executor);
        var tokenizer = new FaultyTokenizer(pair.Tokenizer, throwsInPrompts: true)
        {
            Encoding = _ =>
            pool.Add(Thread.CurrentThread.IsThreadPoolThread)
        };
        await using var server = await ServerFixture.StartLoadingAsync((_, _) => Task.FromResult(pair with
        {
            Validator = new(pair.Names, tokenizer, new() { EndOfSequenceTokens = new HashSet<int> { ByteTokenizer.Eos } }, new(),
                pair.Engine.Limits),
        }), executor);
        await server.PhaseChangedAsync();
        var text = new string('a', Encoders.ShortBytes);
        Assert.Equal(200, (await server.PostAsync("/tokenize", $$"""{"prompt":"{{text}}"}""")).Status);
        Assert.Equal(200, (await server.CompleteAsync($$"""{"prompt":"{{text}}","max_tokens":1}""")).Status);
        await server.Inference.TokenizeAsync(new TokenizeRequest { Prompt = new Prompt { Text = text } }, cancellationToken: Stop);
        await server.Inference.GenerateAsync(
            new GenerateRequest { Prompt = new Prompt { Text = text }, Options = new() { MaxTokens = 1 } }, cancellationToken: Stop);
        Assert.Equal([false, false, false, false], pool);
    }
}
