using System.Net;
using System.Text;
using DeRa.Gateway.Balancing;
using DeRa.Gateway.Tests.Fixtures;
using DeRa.Testing.Server;
using Microsoft.AspNetCore.Http;
using Xunit;

namespace DeRa.Gateway.Tests.Forwarding;

public class HttpForwardingTests
{
    private const string Prompt = """{"prompt":"Once upon a time","seed":1,"max_tokens":12}""";

    [Fact]
    public async Task A_response_is_the_replicas_own()
    {
        await using var replica = await TestReplica.StartAsync();
        await using var gateway = await GatewayFixture.StartAsync(replica.Address);
        var (direct, through) = (await replica.Server.CompleteAsync(Prompt), await gateway.CompleteAsync(Prompt));
        Assert.Equal(200, through.Status);
        Assert.Equal(direct.Text(), through.Text());
        Assert.Equal(direct.Headers.Keys.Order(), through.Headers.Keys.Order());
        var streamed = await gateway.CompleteAsync("""{"prompt":"Once upon a time","seed":1,"max_tokens":12,"stream":true}""");
        Assert.Equal(direct.Text(), string.Concat(streamed.Events().Select(chunk => chunk.GetProperty("choices")[0].GetProperty("text"))));
    }

    [Fact]
    public async Task Errors_of_a_replica_come_through_and_are_not_tried_again()
    {
        await using var one = await TestReplica.StartAsync();
        await using var other = await TestReplica.StartAsync();
        await using var gateway = await GatewayFixture.StartAsync(one.Address, other.Address);
        var refused = await gateway.CompleteAsync("""{"prompt":"a","alignment_strength":99}""");
        Assert.Equal((400, "alignment_strength"), (refused.Status, refused.Param));
        var counts = new List<double>();
        foreach (var replica in (TestReplica[])[one, other])
            counts.Add(await gateway.MetricAsync($"dera_gateway_requests_total{{outcome=\"status_400\",replica=\"{replica.Name}\"}}"));
        Assert.Equal([0, 1], counts.Order());
        Assert.Equal(404, (await gateway.PostAsync("/v1/nothing", "{}")).Status);
    }

    [Fact]
    public async Task What_one_replica_refuses_for_the_moment_another_one_gets_with_the_same_body()
    {
        await using var busy = await StubReplica.StartAsync();
        await using var free = await StubReplica.StartAsync();
        busy.Respond = context => Refuse(context, 503);
        await using var gateway = await GatewayFixture.StartAsync(busy.Name, free.Name);
        for (var i = 0; i < 8; i++)
            Assert.Equal(200, (await gateway.PostToStubAsync($$"""{"prompt":"{{i}}"}""")).Status);
        Assert.NotEmpty(busy.Requests);
        Assert.Equal(Enumerable.Range(0, 8).Select(i => $$"""{"prompt":"{{i}}"}"""), free.Requests.Select(request => request.Body));
        Assert.Equal(busy.Requests.Count,
            await gateway.MetricAsync($"dera_gateway_retries_total{{reason=\"503\",replica=\"{busy.Name}\"}}"));
        Assert.Equal(0, gateway.Bodies.Kept);
    }

    [Fact]
    public async Task Where_all_refuse_the_client_gets_the_last_refusal_with_its_headers()
    {
        await using var one = await StubReplica.StartAsync();
        await using var other = await StubReplica.StartAsync();
        one.Respond = other.Respond = context => Refuse(context, 503);
        await using var gateway = await GatewayFixture.StartAsync(one.Name, other.Name);
        Assert.Equal((503, "7"), await gateway.PostToStubAsync("{}"));
        Assert.Equal(2, one.Requests.Count + other.Requests.Count);
    }

    [Fact]
    public async Task A_replica_that_cannot_be_reached_is_ejected_and_nobody_learns_of_it()
    {
        await using var dead = await TestReplica.StartAsync();
        await using var alive = await TestReplica.StartAsync();
        var options = GatewayFixture.Options(dead.Address, alive.Address);
        // No look at it meanwhile: only a request can find out.
        options = options with { Health = options.Health with { HealthSeconds = 3600, EjectSeconds = 3600 } };
        await using var gateway = await GatewayFixture.StartAsync(options);
        dead.Kill();
        for (var i = 0; i < 8; i++) Assert.Equal(200, (await gateway.CompleteAsync($$"""{"prompt":"{{i}}","max_tokens":1}""")).Status);
        Assert.False(gateway.Replica(dead.Name).IsAvailable);
        Assert.Equal(1, await gateway.MetricAsync($"dera_gateway_ejections_total{{reason=\"unreachable\",replica=\"{dead.Name}\"}}"));
        Assert.Equal(1, await gateway.MetricAsync($"dera_gateway_retries_total{{reason=\"connection failed\",replica=\"{dead.Name}\"}}"));
    }

    [Fact]
    public async Task A_replica_is_ejected_after_failures_in_a_row_and_not_by_one()
    {
        await using var stub = await StubReplica.StartAsync();
        var options = GatewayFixture.Options(stub.Name);
        options = options with { Health = options.Health with { HealthSeconds = 3600, EjectAfter = 3 } };
        await using var gateway = await GatewayFixture.StartAsync(options);
        foreach (var status in (int[])[500, 500, 200, 500, 500])
        {
            stub.Respond = context => Refuse(context, status);
            Assert.Equal(status, (await gateway.PostToStubAsync("{}")).Status);
            Assert.True(gateway.Replica(stub.Name).IsAvailable);
        }
        await gateway.PostToStubAsync("{}");
        Assert.False(gateway.Replica(stub.Name).IsAvailable);
        // It is the only one, and says that it is ready: better than none.
        Assert.Equal(500, (await gateway.PostToStubAsync("{}")).Status);
    }

    [Fact]
    public async Task A_stream_that_breaks_ends_with_an_error_event_and_is_never_begun_anew()
    {
        await using var breaking = await TestReplica.StartAsync(Scripts.Endless());
        await using var other = await TestReplica.StartAsync();
        await using var gateway = await GatewayFixture.StartAsync(breaking.Address);
        using var response = await gateway.BeginAsync("/v1/completions", """{"prompt":"a","stream":true,"max_tokens":100000}""");
        using var reader = new StreamReader(await response.Content.ReadAsStreamAsync(ServerFixture.Stop));
        Assert.StartsWith("data: {", await reader.ReadLineAsync(ServerFixture.Stop), StringComparison.Ordinal);
        breaking.Kill();
        var rest = await reader.ReadToEndAsync(ServerFixture.Stop);
        Assert.Contains("\n\ndata: {\"error\":{\"message\":\"The replica broke off its response.\",\"type\":\"server_error\"", rest,
            StringComparison.Ordinal);
        Assert.DoesNotContain("[DONE]", rest, StringComparison.Ordinal);
        Assert.Equal(0, other.Server.Executor.TokensRun[0]);
        await ServerFixture.EventuallyAsync(() => breaking.Engine.Status.BlocksInUse == 0);
    }

    [Fact]
    public async Task Events_go_out_as_they_come()
    {
        await using var stub = await StubReplica.StartAsync();
        var more = new TaskCompletionSource();
        stub.Respond = async context =>
        {
            context.Response.ContentType = "text/event-stream";
            await context.Response.WriteAsync("data: 1\n\n");
            await context.Response.Body.FlushAsync();
            await more.Task;
            await context.Response.WriteAsync("data: 2\n\n");
        };
        await using var gateway = await GatewayFixture.StartAsync(stub.Name);
        using var response = await gateway.BeginAsync("/v1/completions", Prompt);
        using var reader = new StreamReader(await response.Content.ReadAsStreamAsync(ServerFixture.Stop));
        Assert.Equal("data: 1", await reader.ReadLineAsync(ServerFixture.Stop));
        // The body is no longer kept once the response has begun.
        Assert.Equal(0, gateway.Bodies.Kept);
        more.SetResult();
        Assert.Equal("\ndata: 2\n\n", await reader.ReadToEndAsync(ServerFixture.Stop));
    }

    [Fact]
    public async Task A_client_that_leaves_frees_what_it_held()
    {
        await using var replica = await TestReplica.StartAsync(Scripts.Endless());
        await using var gateway = await GatewayFixture.StartAsync(replica.Address);
        using var leave = CancellationTokenSource.CreateLinkedTokenSource(ServerFixture.Stop);
        var call = gateway.BeginAsync("/v1/completions", """{"prompt":"a","max_tokens":100000}""", leave.Token);
        await ServerFixture.EventuallyAsync(() => replica.Engine.Status.RunningSequences == 1);
        await leave.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => call);
        await ServerFixture.EventuallyAsync(() => replica.Engine.Status.BlocksInUse == 0 && gateway.Replicas.All[0].InFlight == 0);
        Assert.True(gateway.Replicas.All[0].IsAvailable);
    }

    [Fact]
    public async Task A_client_that_leaves_while_another_replica_is_tried_ends_that_try()
    {
        await using var busy = await StubReplica.StartAsync();
        await using var hanging = await StubReplica.StartAsync();
        var left = new TaskCompletionSource();
        busy.Respond = context => Refuse(context, 503);
        hanging.Respond = context =>
        {
            context.RequestAborted.Register(left.SetResult);
            return left.Task;
        };
        var options = GatewayFixture.Options(busy.Name, hanging.Name);
        await using var gateway = await GatewayFixture.StartAsync(options with { Balancing = new() { Policy = PolicyName.RoundRobin } });
        while (busy.Requests.IsEmpty || hanging.Requests.Count < 2)
        {
            using var leave = CancellationTokenSource.CreateLinkedTokenSource(ServerFixture.Stop);
            var before = hanging.Requests.Count;
            var call = gateway.BeginAsync("/v1/completions", "{}", leave.Token);
            await ServerFixture.EventuallyAsync(() => hanging.Requests.Count > before);
            await leave.CancelAsync();
            await Assert.ThrowsAnyAsync<OperationCanceledException>(() => call);
            await left.Task.WaitAsync(ServerFixture.Stop);
            left = new TaskCompletionSource();
            await ServerFixture.EventuallyAsync(() => gateway.Replicas.All.All(replica => replica.InFlight == 0));
        }
        Assert.Equal(hanging.Requests.Count,
            await gateway.MetricAsync($"dera_gateway_requests_total{{outcome=\"client_gone\",replica=\"{hanging.Name}\"}}"));
        Assert.All(gateway.Replicas.All, replica => Assert.True(replica.IsAvailable));
        Assert.Equal(0, gateway.Bodies.Kept);
    }

    [Theory]
    [InlineData("application/json", 502)]
    [InlineData("text/event-stream", 200)]
    public async Task A_replica_that_leaves_after_its_headers_is_an_error_with_the_replicas_id(string type, int status)
    {
        await using var stub = await StubReplica.StartAsync();
        await using var gateway = await GatewayFixture.StartAsync(GatewayFixture.Options(stub.Name));
        stub.Respond = async context =>
        {
            context.Response.ContentType = type;
            context.Response.Headers["x-request-id"] = "abc";
            await context.Response.Body.FlushAsync();
            // The gateway has the headers: it keeps the request no longer.
            await ServerFixture.EventuallyAsync(() => gateway.Bodies.Kept == 0);
            context.Abort();
        };
        using var response = await gateway.BeginAsync("/v1/completions", Prompt);
        Assert.Equal((status, "abc"), ((int)response.StatusCode, response.Headers.GetValues("x-request-id").Single()));
        Assert.Contains("\"type\":\"server_error\",\"param\":null,\"code\":\"replica_failed\"",
            await response.Content.ReadAsStringAsync(ServerFixture.Stop), StringComparison.Ordinal);
        Assert.Equal(1, await gateway.MetricAsync($"dera_gateway_requests_total{{outcome=\"broken\",replica=\"{stub.Name}\"}}"));
    }

    [Fact]
    public async Task Bodies_have_a_limit_each_and_together()
    {
        await using var stub = await StubReplica.StartAsync();
        var options = GatewayFixture.Options(stub.Name);
        options = options with { Forwarding = options.Forwarding with { MaxBodyBytes = 4096, MaxPendingBodyBytes = 6000 } };
        var hold = new TaskCompletionSource();
        stub.Respond = async context => await hold.Task;
        await using var gateway = await GatewayFixture.StartAsync(options);
        var large = await gateway.CompleteAsync(new string(' ', 5000));
        Assert.Equal((413, "invalid_request_error"), (large.Status, large.Type));
        using var chunked = new HttpRequestMessage(HttpMethod.Post, "/v1/completions")
        {
            Content = new StreamContent(new MemoryStream(Encoding.UTF8.GetBytes(new string(' ', 5000)))),
        };
        chunked.Headers.TransferEncodingChunked = true;
        using var refused = await gateway.Http.SendAsync(chunked, ServerFixture.Stop);
        Assert.Equal(HttpStatusCode.RequestEntityTooLarge, refused.StatusCode);
        var held = gateway.PostToStubAsync(new string(' ', 4000));
        await ServerFixture.EventuallyAsync(() => !stub.Requests.IsEmpty);
        var full = await gateway.CompleteAsync(new string(' ', 4000));
        Assert.Equal((503, "1"), (full.Status, full.Headers["Retry-After"]));
        hold.SetResult();
        Assert.Equal(200, (await held).Status);
        Assert.Equal(0, gateway.Bodies.Kept);
    }

    private static Task Refuse(HttpContext context, int status)
    {
        context.Response.StatusCode = status;
        if (status == 503) context.Response.Headers.RetryAfter = "7";
        return context.Response.WriteAsync("{}");
    }
}
