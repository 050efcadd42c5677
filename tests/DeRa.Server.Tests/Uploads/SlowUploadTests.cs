using System.Globalization;
using DeRa.Hosting.Options;
using DeRa.Server.Options;
using DeRa.Server.Uploads;
using DeRa.Testing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Time.Testing;
using Xunit;

namespace DeRa.Server.Tests.Uploads;

/// <summary>Bodies that trickle in: they have an end, and nobody waits for them.</summary>
public sealed class SlowUploadTests : IDisposable
{
    private static readonly CancellationToken Stop = TestContext.Current.CancellationToken;
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    private static long Held(ServerFixture server) => server.Services.GetRequiredService<BodyBudget>().Held;

    private static Uri Grpc(ServerFixture server) => new("http://" + server.Channel.Target);

    private static Task<Http1Upload> BeginAsync(ServerFixture server, string path = "/v1/completions", string? key = null) =>
        Http1Upload.BeginAsync(server.Http.BaseAddress!, path, "Content-Length: 1000", key);

    [Theory]
    [InlineData("/v1/completions", "Content-Length: 1000", "{", 60, null)]
    [InlineData("/v1/chat/completions", "Transfer-Encoding: chunked", "1\r\n{\r\n", 60, null)]
    [InlineData("/tokenize", "Content-Length: 1000", "{", 20, 40)]
    [InlineData("/v1/detokenize", "Transfer-Encoding: chunked", "1\r\n{\r\n", 40, 20)]
    public async Task A_body_has_a_time_in_all_however_steadily_it_comes(
        string path, string framing, string piece, int bodySeconds, int? requestSeconds)
    {
        var time = new FakeTimeProvider();
        var options =
            new ServerOptions { Connection = new() { BodySeconds = bodySeconds }, Time = new() { RequestTimeoutSeconds = requestSeconds } };
        var logs = new LogCollector();
        await using var server = await SecuredServer.StartAsync(options, logs: logs, time: time);
        using var upload = await Http1Upload.BeginAsync(server.Http.BaseAddress!, path, framing);
        var seconds = Math.Min(bodySeconds, requestSeconds ?? bodySeconds);
        for (var second = 0; second < seconds; second++)
        {
            var held = second + 1;
            await upload.SendAsync(piece);
            await ServerFixture.EventuallyAsync(() => Held(server) == held);
            time.Advance(TimeSpan.FromSeconds(1));
        }
        var response = await upload.ResponseAsync();
        Assert.StartsWith("HTTP/1.1 408 ", response, StringComparison.Ordinal);
        Assert.Contains("\"type\":\"timeout_error\"", response, StringComparison.Ordinal);
        Assert.Contains($"has not arrived within {seconds} s", response, StringComparison.Ordinal);
        Assert.Equal(0, Held(server));
        await server.StopAsync();
        Assert.Empty(logs.Errors);
    }

    [Fact]
    public async Task A_gRPC_message_has_the_same_time()
    {
        var time = new FakeTimeProvider();
        await using var server = await SecuredServer.StartAsync(new ServerOptions { Connection = new() { BodySeconds = 30 } }, time: time);
        using var http = new HttpClient();
        using var upload = new GrpcUpload(bytes: 1000, begun: 10);
        var sending = upload.SendAsync(http, Grpc(server), cancellation: Stop);
        await ServerFixture.EventuallyAsync(() => Held(server) == 15);
        time.Advance(TimeSpan.FromSeconds(30));
        using var response = await sending;
        Assert.Equal((int)global::Grpc.Core.StatusCode.DeadlineExceeded, GrpcUpload.Status(response));
        await ServerFixture.EventuallyAsync(() => Held(server) == 0);
    }

    [Fact]
    public async Task The_time_that_a_body_takes_is_the_request_s()
    {
        using var hold = new SemaphoreSlim(0);
        var (executor, time) = (Scripts.Saying("abc"), new FakeTimeProvider());
        executor.BeforeStep = _ => hold.Wait(executor.TestOver);
        var options = new ServerOptions { Time = new() { DrainSeconds = 0, RequestTimeoutSeconds = 10 } };
        var pair = ServerFixture.Pair(executor, limits: options.ToRequestLimits(), time: time);
        await using var server =
            await ServerFixture.StartLoadingAsync((_, _) => Task.FromResult(pair), executor, options: options, time: time);
        await server.PhaseChangedAsync();
        const string body = """{"prompt":"a"}""";
        using var upload = await Http1Upload.BeginAsync(server.Http.BaseAddress!, "/v1/completions", $"Content-Length: {body.Length}");
        await upload.SendAsync(body[..5]);
        await ServerFixture.EventuallyAsync(() => Held(server) == 5);
        time.Advance(TimeSpan.FromSeconds(9));
        await upload.SendAsync(body[5..]);
        await ServerFixture.EventuallyAsync(() => server.Engine.Status.RunningSequences == 1);
        time.Advance(TimeSpan.FromSeconds(1));
        var response = await upload.ResponseAsync();
        Assert.StartsWith("HTTP/1.1 408 ", response, StringComparison.Ordinal);
        Assert.Contains("deadline of 10 s", response, StringComparison.Ordinal);
        hold.Release(1000);
    }

    [Fact]
    public async Task While_a_body_trickles_in_its_client_s_other_requests_are_served()
    {
        await using var server =
            await SecuredServer.StartAsync(SecuredServer.WithKeys(_folder, change: keys => keys with { MaxConcurrentRequests = 1 }));
        using var http = new HttpClient();
        using var message = new GrpcUpload(bytes: 1000, begun: 10);
        using var conversation = server.Inference.Converse(SecuredServer.Credentials(), cancellationToken: Stop);
        using var first = await BeginAsync(server, key: SecuredServer.Key);
        using var second = await BeginAsync(server, "/tokenize", SecuredServer.Key);
        await first.SendAsync("{");
        await second.SendAsync("{");
        var sending = message.SendAsync(http, Grpc(server), SecuredServer.Key, cancellation: Stop);
        await ServerFixture.EventuallyAsync(() => Held(server) == 17);
        Assert.Equal(200, (await server.CompleteWithAsync(SecuredServer.Key)).Status);
        Assert.Equal(200, (await server.SendAsync(HttpMethod.Post, "/tokenize", SecuredServer.Key, """{"prompt":"a"}""")).Status);
        message.Finish();
        using var response = await sending;
    }

    [Fact]
    public async Task A_stop_waits_for_no_body()
    {
        var (executor, logs) = (Scripts.Saying("abc"), new LogCollector());
        await using var server = await ServerFixture.StartLoadingAsync(
            (_, _) => Task.FromResult(ServerFixture.Pair(executor)), executor, logs,
                new ServerOptions { Time = new() { DrainSeconds = 3600 } });
        await server.PhaseChangedAsync();
        using var http = new HttpClient();
        using var message = new GrpcUpload(bytes: 1000, begun: 10);
        using var begun = await BeginAsync(server);
        using var other = await BeginAsync(server, "/tokenize");
        await begun.SendAsync("{");
        await other.SendAsync("{");
        var sending = message.SendAsync(http, Grpc(server), cancellation: Stop);
        using var conversation = server.Inference.Converse(cancellationToken: Stop);
        await ServerFixture.EventuallyAsync(() => Held(server) == 17);
        var stopping = server.StopAsync();
        Assert.Equal((503, 503), (await begun.StatusAsync(), await other.StatusAsync()));
        using var response = await sending;
        Assert.Equal((int)global::Grpc.Core.StatusCode.Unavailable, GrpcUpload.Status(response));
        await stopping.WaitAsync(Stop);
        Assert.Empty(logs.Errors);
    }

    [Theory]
    [InlineData("--body-seconds", "0")]
    [InlineData("--body-seconds", "3601")]
    [InlineData("--max-pending-body-bytes", "1023")]
    [InlineData("--max-pending-body-bytes", "1048576")]
    public void The_options_have_ranges(string option, string value)
    {
        var fault = Assert.Throws<OptionException>(() => OptionReader.Read([option, value], new Dictionary<string, string>())).Message;
        Assert.Contains(option, fault, StringComparison.Ordinal);
        Assert.Equal(4 << 20, OptionReader.Read(
            ["--max-pending-body-bytes", (4 << 20).ToString(CultureInfo.InvariantCulture)], new Dictionary<string,
                string>()).Body.PendingBodyBytes);
        Assert.Equal(64 << 20, new ServerOptions().Body.PendingBodyBytes);
    }
}
