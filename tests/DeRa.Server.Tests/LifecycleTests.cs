using System.Text;
using DeRa.Hosting.Programs;
using DeRa.Protos.V1;
using DeRa.Server.Composition;
using DeRa.Server.Options;
using DeRa.Server.State;
using DeRa.Serving;
using DeRa.Serving.Loading;
using DeRa.Testing;
using DeRa.Torch.Weights;
using Google.Rpc;
using Grpc.Core;
using Xunit;

namespace DeRa.Server.Tests;

public class LifecycleTests
{
    private static readonly CancellationToken Stop = TestContext.Current.CancellationToken;

    private static readonly GenerateRequest Call = new() { Prompt = new Prompt { Text = "a" } };

    [Fact]
    public async Task While_loading_the_doors_say_so_and_when_to_come_back()
    {
        var loaded = new TaskCompletionSource<ServedPair>();
        var reported = new TaskCompletionSource();
        await using var server = await ServerFixture.StartLoadingAsync((progress, _) =>
        {
            progress.Report(new LoadProgress("reference", 25, 100));
            reported.SetResult();
            return loaded.Task;
        });
        await reported.Task.WaitAsync(Stop);
        Assert.Equal(200, (await server.GetAsync("/livez")).Status);
        foreach (var path in (string[])["/readyz", "/health"])
        {
            var waiting = await server.GetAsync(path);
            Assert.Equal((503, """{"status":"loading","loaded":{"reference":0.25}}"""), (waiting.Status, waiting.Body));
        }
        foreach (var refused in (Reply[])[await server.CompleteAsync("""{"prompt":"a"}"""),
            await server.ChatAsync("""{"messages":[{"role":"user","content":"a"}]}"""), await server.GetAsync("/v1/models")])
        {
            Assert.Equal((503, "overloaded_error"), (refused.Status, refused.Type));
            Assert.True(int.Parse(refused.Headers["Retry-After"], null) is > 0 and <= 120);
        }
        var fault = await Assert.ThrowsAsync<RpcException>(async () => await server.Inference.GenerateAsync(Call, cancellationToken: Stop));
        Assert.Equal(StatusCode.Unavailable, fault.StatusCode);
        Assert.True(fault.GetRpcStatus()!.GetDetail<RetryInfo>()!.RetryDelay.Seconds > 0);

        loaded.SetResult(ServerFixture.Pair(Scripts.Saying("x")));
        await server.PhaseChangedAsync();
        Assert.Equal("""{"status":"ready"}""", (await server.GetAsync("/readyz")).Body);
        Assert.Equal(200, (await server.CompleteAsync("""{"prompt":"a"}""")).Status);
    }

    [Fact]
    public async Task A_stop_lets_running_streams_finish_and_refuses_new_work()
    {
        using var hold = new SemaphoreSlim(0);
        var executor = Scripts.Saying("abc");
        executor.BeforeStep = plan =>
        {
            if (plan.Rows().Any(row => row.Position > 1)) hold.Wait(executor.TestOver);
        };
        await using var server = await ServerFixture.StartLoadingAsync(
            (_, _) => Task.FromResult(ServerFixture.Pair(executor)), executor,
                options: new ServerOptions { Time = new() { DrainSeconds = 600 } });
        await server.PhaseChangedAsync();
        using var request = new HttpRequestMessage(HttpMethod.Post, "/v1/completions")
        {
            Content = new StringContent("""{"prompt":"a","stream":true}""", Encoding.UTF8, "application/json"),
        };
        using var response = await server.Http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, Stop);

        var stopping = server.StopAsync();
        await ServerFixture.EventuallyAsync(() => server.State.Phase == ServingPhase.Draining);
        var ready = await server.GetAsync("/readyz");
        Assert.Equal((503, """{"status":"draining"}"""), (ready.Status, ready.Body));
        Assert.Equal(200, (await server.GetAsync("/livez")).Status);
        Assert.Equal(503, (await server.CompleteAsync("""{"prompt":"a"}""")).Status);
        var fault = await Assert.ThrowsAsync<RpcException>(async () => await server.Inference.GenerateAsync(Call, cancellationToken: Stop));
        Assert.Equal(StatusCode.Unavailable, fault.StatusCode);
        Assert.False(stopping.IsCompleted);

        hold.Release(100);
        var reply = await Reply.ReadAsync(response);
        Assert.Equal("abc", string.Concat(reply.Events().Select(e => e.GetProperty("choices")[0].GetProperty("text").GetString())));
        await stopping.WaitAsync(Stop);
        Assert.True(executor.IsDisposed);
    }

    [Fact]
    public async Task A_stop_ends_what_outlasts_the_drain_with_an_error_event()
    {
        var executor = Scripts.Endless();
        await using var server = await ServerFixture.StartAsync(executor);
        using var request = new HttpRequestMessage(HttpMethod.Post, "/v1/completions")
        {
            Content = new StringContent("""{"prompt":"a","stream":true,"max_tokens":1000000}""", Encoding.UTF8, "application/json"),
        };
        using var response = await server.Http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, Stop);
        var reading = Reply.ReadAsync(response);
        await server.StopAsync().WaitAsync(Stop);
        Assert.Equal("overloaded_error", (await reading).Events()[^1].GetProperty("error").GetProperty("type").GetString());
        Assert.True(executor.IsDisposed);
    }

    [Fact]
    public async Task A_stop_while_loading_ends_the_load()
    {
        var cancelled = new TaskCompletionSource();
        await using var server = await ServerFixture.StartLoadingAsync(async (_, cancellation) =>
        {
            cancellation.Register(cancelled.SetResult);
            await cancelled.Task;
            throw new OperationCanceledException(cancellation);
        });
        await server.StopAsync().WaitAsync(Stop);
        await cancelled.Task.WaitAsync(Stop);
    }

    [Fact]
    public async Task An_engine_that_has_stopped_is_neither_alive_nor_ready()
    {
        await using var server = await ServerFixture.StartAsync(Scripts.Saying("x"));
        server.Engine.Dispose();
        Assert.Equal(503, (await server.GetAsync("/livez")).Status);
        Assert.Equal(503, (await server.GetAsync("/readyz")).Status);
        Assert.Equal(503, (await server.CompleteAsync("""{"prompt":"a"}""")).Status);
    }

    [Fact]
    public async Task An_engine_that_hangs_in_a_step_is_not_alive_until_it_goes_on()
    {
        using var hold = new SemaphoreSlim(0);
        var (executor, time) = (Scripts.Saying("abc"), new ManualTime());
        executor.BeforeStep = _ => hold.Wait(executor.TestOver);
        await using var server = await ServerFixture.StartLoadingAsync(
            (_, _) => Task.FromResult(ServerFixture.Pair(executor, time: time)), executor,
                options: new ServerOptions { Time = new() { MaxStepSeconds = 60 } });
        await server.PhaseChangedAsync();
        var running = server.CompleteAsync("""{"prompt":"a"}""");
        await ServerFixture.EventuallyAsync(() => server.Engine.Status.RunningSequences == 1);
        time.Advance(TimeSpan.FromSeconds(59));
        Assert.Equal(200, (await server.GetAsync("/livez")).Status);
        time.Advance(TimeSpan.FromSeconds(2));
        Assert.Equal(503, (await server.GetAsync("/livez")).Status);
        hold.Release(100);
        Assert.Equal("abc", (await running).Text());
        Assert.Equal(200, (await server.GetAsync("/livez")).Status);
    }

    [Fact]
    public async Task An_engine_that_hangs_does_not_keep_the_server_from_ending()
    {
        using var logs = new LogCollector();
        using var hold = new SemaphoreSlim(0);
        var executor = Scripts.Saying("abc");
        executor.BeforeStep = _ => hold.Wait(CancellationToken.None);
        var server = await ServerFixture.StartLoadingAsync(
            (_, _) => Task.FromResult(ServerFixture.Pair(executor)), executor, logs,
                new ServerOptions { Time = new() { DrainSeconds = 0 } });
        await server.PhaseChangedAsync();
        var running = server.CompleteAsync("""{"prompt":"a"}""");
        await ServerFixture.EventuallyAsync(() => server.Engine.Status.RunningSequences == 1);
        // Ends, though nobody lets the step go on.
        await server.StopAsync().WaitAsync(Stop);
        await Assert.ThrowsAnyAsync<HttpRequestException>(() => running);
        Assert.False(executor.IsDisposed);
        Assert.Contains(logs.Lines, line => line.Contains("The engine hangs", StringComparison.Ordinal));
        hold.Release(1000);
        await ServerFixture.EventuallyAsync(() => executor.IsDisposed);
        await server.DisposeAsync();
    }

    [Fact]
    public void A_terminal_shows_how_far_each_model_is()
    {
        using var terminal = new StringWriter();
        using var state = new ServingState();
        var progress = new ConsoleLoadProgress(terminal, state);
        progress.Report(new LoadProgress("reference", 1, 3));
        progress.Report(new LoadProgress("reference", 1, 3));
        progress.Report(new LoadProgress("aligned", 3, 3));
        progress.Report(new LoadProgress("reference", 3, 3));
        Assert.Equal(
            "\rLoading: reference  33 %\rLoading: aligned 100 %  reference  33 %\rLoading: aligned 100 %  reference 100 %\n",
                terminal.ToString());
        Assert.Equal(1, state.Loaded["aligned"]);
    }

    [Fact]
    public async Task A_load_that_fails_ends_the_server()
    {
        await using var server = await ServerFixture.StartLoadingAsync((_, _) => throw new InvalidDataException("config.json is missing"));
        await server.PhaseChangedAsync();
        Assert.Equal(ServingPhase.Failed, server.State.Phase);
    }

    [Fact]
    public async Task The_program_ends_with_1_where_the_models_do_not_load()
    {
        var folder = Directory.CreateTempSubdirectory().FullName;
        var errors = new StringWriter();
        var code = await ServerProgram.RunAsync(
            ["--reference", folder, "--aligned", folder, "--http-port", "0", "--grpc-port", "0"], new Dictionary<string, string>(),
            (_, _) => (_, _) => throw new InvalidDataException("config.json\nis missing"), TextWriter.Null, errors).WaitAsync(Stop);
        Directory.Delete(folder);
        Assert.Equal(HostedProgram.StartFailed, code);
        Assert.Equal("The models could not be loaded: config.json is missing\n", errors.ToString().ReplaceLineEndings("\n"));
    }

    [Theory]
    [InlineData("--http-port", "--grpc-port")]
    [InlineData("--grpc-port", "--http-port")]
    public async Task The_program_ends_with_1_and_a_line_that_names_the_option_where_a_port_is_taken(string option, string other)
    {
        using var taken = new System.Net.Sockets.TcpListener(System.Net.IPAddress.Loopback, 0);
        taken.Start();
        var port = ((System.Net.IPEndPoint)taken.LocalEndpoint).Port;
        Assert.Equal($"The server cannot listen: {option} is {port}, and another program uses 127.0.0.1:{port} already; "
            + "choose another port, or 0 for any free one.", await CannotListenAsync($"{option}={port}", $"{other}=0"));
    }

    [Fact]
    public async Task An_address_that_is_not_this_machines_is_named_with_its_option() => Assert.Equal(
        "The server cannot listen: --host is '192.0.2.1', which is not an address of this machine.",
        await CannotListenAsync("--host=192.0.2.1", "--http-port=0", "--grpc-port=0"));

    private static async Task<string> CannotListenAsync(params string[] arguments)
    {
        var errors = new StringWriter();
        var code = await ServerProgram.RunAsync(arguments, new Dictionary<string, string>(),
            (_, _) => (_, _) => Task.FromResult(ServerFixture.Pair(Scripts.Saying("x"))), TextWriter.Null, errors).WaitAsync(Stop);
        Assert.Equal(HostedProgram.StartFailed, code);
        return errors.ToString().TrimEnd();
    }

    [Fact]
    public async Task The_program_ends_with_2_and_a_line_for_a_bad_option_and_with_0_for_help_and_version()
    {
        var (output, errors) = (new StringWriter(), new StringWriter());
        PairSource Source(ServerOptions options, Microsoft.Extensions.Logging.ILoggerFactory loggers) =>
            throw new InvalidOperationException("not reached");
        Assert.Equal(HostedProgram.BadOption,
            await ServerProgram.RunAsync(["--prot", "1"], new Dictionary<string, string>(), Source, output, errors));
        Assert.Single(errors.ToString().Split('\n', StringSplitOptions.RemoveEmptyEntries));
        Assert.Equal(HostedProgram.Success,
            await ServerProgram.RunAsync(["--help"], new Dictionary<string, string>(), Source, output, errors));
        Assert.Contains("--http-port", output.ToString(), StringComparison.Ordinal);
        output.GetStringBuilder().Clear();
        Assert.Equal(HostedProgram.Success,
            await ServerProgram.RunAsync(["--version"], new Dictionary<string, string>(), Source, output, errors));
        Assert.Matches(@"^\d+\.\d+\.\d+(\+[0-9a-f]+)?$", output.ToString().TrimEnd());
    }

    private sealed class ManualTime : TimeProvider
    {
        private long _ticks;

        public override long TimestampFrequency => TimeSpan.TicksPerSecond;

        public override long GetTimestamp() => Interlocked.Read(ref _ticks);

        public void Advance(TimeSpan by) => Interlocked.Add(ref _ticks, by.Ticks);
    }
}
