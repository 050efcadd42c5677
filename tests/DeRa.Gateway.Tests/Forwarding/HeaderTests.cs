using System.Net;
using DeRa.Gateway.Tests.Fixtures;
using DeRa.Testing.Server;
using Microsoft.AspNetCore.Http;
using Xunit;

namespace DeRa.Gateway.Tests.Forwarding;

public class HeaderTests
{
    [Fact]
    public async Task Headers_and_the_query_are_passed_on_and_a_trace_is_continued()
    {
        await using var stub = await StubReplica.StartAsync();
        await using var gateway = await GatewayFixture.StartAsync(GatewayFixture.Options(stub.Name));
        using var request = new HttpRequestMessage(HttpMethod.Get, "/v1/models?x=1");
        request.Headers.Add("Authorization", "Bearer secret");
        request.Headers.Add("x-request-id", "the client's own");
        request.Headers.Add("X-Forwarded-For", "192.0.2.1");
        request.Headers.Add("traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01");
        using var response = await gateway.Http.SendAsync(request, ServerFixture.Stop);
        var (path, headers, _) = Assert.Single(stub.Requests);
        Assert.Equal("/v1/models?x=1", path);
        Assert.Equal("Bearer secret", headers["Authorization"]);
        Assert.Equal("the client's own", headers["x-request-id"]);
        // Nobody reads it here, so nothing is added to it: a replica goes by keys.
        Assert.Equal("192.0.2.1", headers["X-Forwarded-For"]);
        Assert.Equal(new Uri(stub.Name).Authority, headers["Host"]);
        Assert.StartsWith("00-0af7651916cd43dd8448eb211c80319c-", headers["traceparent"], StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_is_for_one_hop_goes_no_further()
    {
        await using var stub = await StubReplica.StartAsync();
        stub.Respond = context =>
        {
            context.Response.Headers.KeepAlive = "timeout=5";
            context.Response.Headers["Proxy-Authenticate"] = "Basic";
            return context.Response.WriteAsync("{}");
        };
        await using var gateway = await GatewayFixture.StartAsync(GatewayFixture.Options(stub.Name));
        using var request = new HttpRequestMessage(HttpMethod.Get, "/v1/models");
        request.Headers.TryAddWithoutValidation("Connection", "x-mine, keep-alive, upgrade");
        foreach (var name in (string[])["x-mine", "Keep-Alive", "Upgrade", "TE", "Proxy-Authorization", "Proxy-Connection"])
            request.Headers.TryAddWithoutValidation(name, "1");
        request.Headers.Add("x-other", "2");
        using var response = await gateway.Http.SendAsync(request, ServerFixture.Stop);
        var names = Assert.Single(stub.Requests).Headers.Keys;
        Assert.Equal(["Host", "traceparent", "x-other"], names.Append("traceparent").Distinct().Order());
        Assert.False(response.Headers.Contains("Keep-Alive"));
        Assert.False(response.Headers.Contains("Proxy-Authenticate"));
    }

    [Fact]
    public async Task A_client_that_waits_before_it_sends_its_body_is_told_to_go_on_by_the_gateway()
    {
        await using var stub = await StubReplica.StartAsync();
        await using var gateway = await GatewayFixture.StartAsync(GatewayFixture.Options(stub.Name));
        // Longer than this test may take: it goes on because it is told to.
        using var http = new HttpClient(new SocketsHttpHandler { Expect100ContinueTimeout = TimeSpan.FromHours(1) })
        {
            BaseAddress = gateway.Http.BaseAddress,
        };
        http.DefaultRequestHeaders.ExpectContinue = true;
        using var content = new StringContent("""{"prompt":"a"}""", null, "application/json");
        using var response = await http.PostAsync("/v1/completions", content, ServerFixture.Stop);
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        var (_, headers, body) = Assert.Single(stub.Requests);
        Assert.Equal("""{"prompt":"a"}""", body);
        Assert.DoesNotContain("Expect", headers.Keys);
    }

    [Fact]
    public async Task HEAD_and_OPTIONS_pass_through_and_the_gateways_own_paths_know_HEAD()
    {
        await using var stub = await StubReplica.StartAsync();
        stub.Respond = context =>
        {
            context.Response.ContentLength = 7;
            context.Response.Headers.AccessControlAllowOrigin = "https://chat.example.com";
            return Task.CompletedTask;
        };
        await using var gateway = await GatewayFixture.StartAsync(GatewayFixture.Options(stub.Name));
        using var models = await HeadAsync(gateway, "/v1/models");
        Assert.Equal((HttpStatusCode.OK, 7), (models.StatusCode, models.Content.Headers.ContentLength));
        stub.Respond = context =>
        {
            context.Response.Headers.AccessControlAllowOrigin = "https://chat.example.com";
            context.Response.StatusCode = StatusCodes.Status204NoContent;
            return Task.CompletedTask;
        };
        using var preflight = new HttpRequestMessage(HttpMethod.Options, "/v1/completions");
        preflight.Headers.Add("Origin", "https://chat.example.com");
        preflight.Headers.Add("Access-Control-Request-Method", "POST");
        using var allowed = await gateway.Http.SendAsync(preflight, ServerFixture.Stop);
        Assert.Equal("https://chat.example.com", allowed.Headers.GetValues("Access-Control-Allow-Origin").Single());
        foreach (var path in (string[])["/livez", "/readyz", "/health", "/metrics"])
        {
            using var own = await HeadAsync(gateway, path);
            using var over2 = await HeadAsync(gateway, $"http://{gateway.Channel.Target}{path}", HttpVersion.Version20);
            Assert.Equal((HttpStatusCode.OK, HttpStatusCode.OK), (own.StatusCode, over2.StatusCode));
            Assert.Empty(await over2.Content.ReadAsByteArrayAsync(ServerFixture.Stop));
        }
        Assert.Equal(["/v1/models", "/v1/completions"], stub.Requests.Select(request => request.Path));
    }

    [Fact]
    public async Task Pages_that_the_gateway_lets_in_are_let_in_once()
    {
        await using var stub = await StubReplica.StartAsync();
        stub.Respond = context =>
        {
            context.Response.Headers.AccessControlAllowOrigin = "*";
            return context.Response.WriteAsync("{}");
        };
        await using var gateway = await GatewayFixture.StartAsync(
            GatewayFixture.Options(stub.Name) with { Origin = new() { CorsOrigins = ["https://chat.example.com"] } });
        using var request = new HttpRequestMessage(HttpMethod.Get, "/v1/models");
        request.Headers.Add("Origin", "https://chat.example.com");
        using var response = await gateway.Http.SendAsync(request, ServerFixture.Stop);
        Assert.Equal("https://chat.example.com", response.Headers.GetValues("Access-Control-Allow-Origin").Single());
    }

    private static async Task<HttpResponseMessage> HeadAsync(GatewayFixture gateway, string path, Version? version = null)
    {
        using var request = new HttpRequestMessage(HttpMethod.Head, path)
        {
            Version = version ?? HttpVersion.Version11,
            VersionPolicy = HttpVersionPolicy.RequestVersionExact,
        };
        return await gateway.Http.SendAsync(request, ServerFixture.Stop);
    }
}
