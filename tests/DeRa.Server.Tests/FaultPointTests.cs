using DeRa.Engine.Scheduling;
using DeRa.Protos.V1;
using DeRa.Testing;
using Grpc.Core;
using Xunit;

namespace DeRa.Server.Tests;

/// <summary>
/// A fault injected at each point where one request can go wrong, beside requests that are well. These get what they get
/// alone; afterwards no block, no request and no lease is left, and the server is alive.
/// </summary>
public class FaultPointTests
{
    private static readonly CancellationToken Stop = TestContext.Current.CancellationToken;

    private static readonly double[] Healthy = [0, 1, 0.5, 2];

    /// <summary>The victim: told by its prompt, whose first token this is.</summary>
    private const int Mark = 'V';

    private static bool IsVictim(Readout readout) => readout.Sampling is { } sampling && sampling.History.Span[1] == Mark;

    /// <summary>A victim's token or guess after its first ones.</summary>
    private static bool IsLate(Readout readout) => IsVictim(readout) && readout.Sampling!.Value.History.Length > 5;

    public static TheoryData<string, bool> Points() => new MatrixTheoryData<string, bool>(
        ["reference throws", "aligned throws", "out of memory", "not finite", "tokenizer throws", "prompt's tokenizer throws"],
            [false, true]);

    [Theory]
    [MemberData(nameof(Points))]
    public async Task A_fault_ends_its_own_request_only(string point, bool stream)
    {
        var alone = await AnswersAsync(await StartAsync(new ScriptedExecutor()), point, victims: 0, stream);
        var executor = new ScriptedExecutor();
        Inject(executor, point);
        var server = await StartAsync(executor, point);
        Assert.Equal(alone, await AnswersAsync(server, point, victims: 3, stream));
    }

    private static void Inject(ScriptedExecutor executor, string point)
    {
        var strength = point == "reference throws" ? 0 : point == "aligned throws" ? 1 : 0.5;
        // A forward that throws takes the whole step with it, whoever else is in it.
        if (point is "reference throws" or "aligned throws" or "out of memory")
            executor.BeforeStep = plan =>
            {
                if (plan.Readouts.Any(readout => IsLate(readout) && readout.Strengths[0] == strength))
                    throw new InvalidOperationException(point);
            };
        if (point == "not finite")
            executor.ReadoutError = readout => IsLate(readout) ? "the logits are not finite" : null;
    }

    private static async Task<ServerFixture> StartAsync(ScriptedExecutor executor, string point = "")
    {
        var server = await ServerFixture.StartLoadingAsync((_, _) => Task.FromResult(
            point.Contains("tokenizer", StringComparison.Ordinal) ? WithFaultyTokenizer(executor, point) : ServerFixture.Pair(executor)),
                executor);
        await server.PhaseChangedAsync();
        return server;
    }

    private static DeRa.Serving.ServedPair WithFaultyTokenizer(ScriptedExecutor executor, string point)
    {
        var pair = ServerFixture.Pair(executor);
        var tokenizer = new FaultyTokenizer(pair.Tokenizer, throwsInPrompts: point == "prompt's tokenizer throws");
        if (point != "prompt's tokenizer throws") executor.Script = readout => IsLate(readout) ? FaultyTokenizer.Poison : null;
        return pair with
        {
            Tokenizer = tokenizer,
            Validator = new(pair.Names, tokenizer, new() { EndOfSequenceTokens = new HashSet<int> { ByteTokenizer.Eos } }, new(),
                pair.Engine.Limits),
        };
    }

    /// <summary>Sends victims and healthy requests together; returns the healthy ones' answers.</summary>
    private static async Task<IReadOnlyList<string>> AnswersAsync(ServerFixture server, string point, int victims, bool stream)
    {
        await using var _ = server;
        var strength = point == "reference throws" ? "0" : point == "aligned throws" ? "1" : "0.5";
        var streams = stream ? "true" : "false";
        var failing = Enumerable.Range(0, victims).Select(_ => server.CompleteAsync(
            $$"""{"prompt":"Victim","max_tokens":40,"ignore_eos":true,"seed":5,"lambda":{{strength}},"stream":{{streams}}}""")).ToList();
        var healthy = Healthy.Select(lambda => server.CompleteAsync(
            $$"""{"prompt":"well","max_tokens":40,"ignore_eos":true,"seed":5,"lambda":{{lambda}},"stream":{{streams}}}""")).ToList();
        foreach (var reply in await Task.WhenAll(failing))
            Assert.Equal("server_error", (reply.Status == 200 ? reply.Events()[^1].GetProperty("error") : reply.Error).GetProperty("type")
                .GetString());
        var answers = await Task.WhenAll(healthy);
        Assert.All(answers, reply => Assert.Equal(200, reply.Status));
        await ServerFixture.EventuallyAsync(() => server.Engine.Status is { BlocksInUse: 0, QueuedSequences: 0, RunningSequences: 0 });
        Assert.Equal(200, (await server.GetAsync("/livez")).Status);
        // Ends only once no request is under way.
        await server.State.DrainAsync().WaitAsync(Stop);
        return [.. answers.Select(reply => stream
            ? string.Concat(reply.Events().Select(e => e.GetProperty("choices")[0].GetProperty("text").GetString())) : reply.Text())];
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_client_that_goes_away_while_its_prompt_is_read_frees_its_blocks(bool grpc)
    {
        using var hold = new SemaphoreSlim(0);
        var executor = new ScriptedExecutor();
        executor.BeforeStep = plan => _ = plan.Rows().Any(row => row.Position > 0) && hold.Wait(-1, executor.TestOver);
        await using var server = await ServerFixture.StartAsync(executor, new() { MaxRunning = 4, MaxBatchTokens = 16 });
        using var gone = CancellationTokenSource.CreateLinkedTokenSource(Stop);
        var prompt = new string('p', 100);
        var leaving = grpc
            ? (Task)server.Inference.GenerateAsync(new GenerateRequest { Prompt = new Prompt { Text = prompt } },
                cancellationToken: gone.Token).ResponseAsync
            : server.Http.PostAsync("/v1/completions", new StringContent($$"""{"prompt":"{{prompt}}"}""", null, "application/json"),
                gone.Token);
        // The second of seven chunks is being read.
        await ServerFixture.EventuallyAsync(() => server.Engine.Status.BlocksInUse > 0);
        await gone.CancelAsync();
        await Assert.ThrowsAnyAsync<Exception>(() => leaving);
        executor.BeforeStep = null;
        hold.Release(100);
        await ServerFixture.EventuallyAsync(() => server.Engine.Status is { BlocksInUse: 0, RunningSequences: 0 });
        await server.State.DrainAsync().WaitAsync(Stop);
    }

    [Fact]
    public async Task A_device_that_fails_in_every_step_is_not_alive_until_it_works_again()
    {
        var executor = Scripts.Saying("abc");
        executor.BeforeStep = _ => throw new InvalidOperationException("CUDA error: an illegal memory access was encountered");
        await using var server = await ServerFixture.StartAsync(executor);
        for (var i = 0; i < 9; i++) await server.CompleteAsync("""{"prompt":"a"}""");
        Assert.Equal(200, (await server.GetAsync("/livez")).Status);
        await server.CompleteAsync("""{"prompt":"a"}""");
        Assert.Equal(503, (await server.GetAsync("/livez")).Status);
        Assert.Equal(503, (await server.GetAsync("/readyz")).Status);
        executor.BeforeStep = null;
        Assert.Equal("abc", (await server.CompleteAsync("""{"prompt":"a"}""")).Text());
        Assert.Equal(200, (await server.GetAsync("/livez")).Status);
    }

    [Fact]
    public async Task Models_whose_logits_are_never_finite_are_not_alive_either()
    {
        var executor = Scripts.Saying("abc");
        executor.ReadoutError = _ => "the logits are not finite";
        await using var server = await ServerFixture.StartAsync(executor);
        for (var i = 0; i < 10; i++) Assert.Equal(500, (await server.CompleteAsync("""{"prompt":"a"}""")).Status);
        Assert.Equal(503, (await server.GetAsync("/livez")).Status);
        Assert.Equal(503, (await server.GetAsync("/readyz")).Status);
        executor.ReadoutError = null;
        await server.CompleteAsync("""{"prompt":"a"}""");
        Assert.Equal(200, (await server.GetAsync("/livez")).Status);
    }

    [Fact]
    public async Task Rows_that_fail_beside_ones_that_do_not_say_nothing_of_the_device()
    {
        var executor = Scripts.Saying("abcdefghij");
        executor.BeforeStep = plan =>
        {
            if (plan.Readouts.Any(readout => readout.Strengths[0] == 2)) throw new InvalidOperationException("fault");
        };
        await using var server = await ServerFixture.StartAsync(executor);
        for (var i = 0; i < 12; i++)
        {
            await server.CompleteAsync("""{"prompt":"a","lambda":2}""");
            await server.CompleteAsync("""{"prompt":"a"}""");
        }
        Assert.Equal(200, (await server.GetAsync("/livez")).Status);
    }

    [Fact]
    public async Task A_gRPC_stream_that_outlasts_the_drain_ends_with_UNAVAILABLE()
    {
        await using var server = await ServerFixture.StartAsync(Scripts.Endless());
        using var call = server.Inference.GenerateStream(new GenerateStreamRequest
        {
            Prompt = new Prompt { Text = "a" },
            Options = new GenerationOptions { MaxTokens = 1_000_000 },
        }, cancellationToken: Stop);
        await call.ResponseStream.MoveNext(Stop);
        var stopping = server.StopAsync();
        var fault = await Assert.ThrowsAsync<RpcException>(async () =>
        {
            await foreach (var _ in call.ResponseStream.ReadAllAsync(Stop)) { }
        });
        Assert.Equal(StatusCode.Unavailable, fault.StatusCode);
        await stopping.WaitAsync(Stop);
    }
}
