using DeRa.Testing;
using Xunit;

namespace DeRa.Server.Tests.Security;

public sealed class CorsTests : IDisposable
{
    private const string Page = "https://chat.example.com";
    private const string Allowed = "Access-Control-Allow-Origin";
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    private static async Task<Reply> PreflightAsync(ServerFixture server, string origin, string path = "/v1/chat/completions")
    {
        using var request = new HttpRequestMessage(HttpMethod.Options, path);
        request.Headers.Add("Origin", origin);
        request.Headers.Add("Access-Control-Request-Method", "POST");
        request.Headers.Add("Access-Control-Request-Headers", "authorization,content-type");
        return await server.SendAsync(request);
    }

    private static async Task<Reply> AskAsync(ServerFixture server, string origin, string? key)
    {
        using var request = SecuredServer.Request(HttpMethod.Post, "/v1/completions", key, """{"prompt":"a"}""");
        request.Headers.Add("Origin", origin);
        return await server.SendAsync(request);
    }

    [Fact]
    public async Task Pages_of_other_sites_get_no_leave_unless_they_are_named()
    {
        await using var server = await ServerFixture.StartAsync();
        var preflight = await PreflightAsync(server, Page);
        Assert.Equal(405, preflight.Status);
        Assert.DoesNotContain(Allowed, preflight.Headers.Keys);
        Assert.DoesNotContain(Allowed, (await AskAsync(server, Page, null)).Headers.Keys);
    }

    [Fact]
    public async Task A_named_page_asks_first_without_a_key_and_then_with_one()
    {
        await using var server = await SecuredServer.StartAsync(
            SecuredServer.WithKeys(_folder) with { Origin = new() { CorsOrigins = [Page, "http://localhost:3000"] } });
        foreach (var origin in (string[])[Page, "http://localhost:3000"])
        {
            var preflight = await PreflightAsync(server, origin);
            Assert.Equal((204, origin), (preflight.Status, preflight.Headers[Allowed]));
            Assert.Equal("authorization,content-type", preflight.Headers["Access-Control-Allow-Headers"]);
            Assert.Equal("POST", preflight.Headers["Access-Control-Allow-Methods"]);
            Assert.DoesNotContain("Access-Control-Allow-Credentials", preflight.Headers.Keys);
            var answer = await AskAsync(server, origin, SecuredServer.Key);
            Assert.Equal((200, origin), (answer.Status, answer.Headers[Allowed]));
            Assert.Contains("x-request-id", answer.Headers["Access-Control-Expose-Headers"], StringComparison.Ordinal);
            // Errors too, or the page could not read why.
            var refused = await AskAsync(server, origin, null);
            Assert.Equal((401, origin), (refused.Status, refused.Headers[Allowed]));
        }
        foreach (var origin in (string[])["https://evil.example.com", "http://chat.example.com", "https://chat.example.com:444", "null"])
        {
            Assert.DoesNotContain(Allowed, (await PreflightAsync(server, origin)).Headers.Keys);
            Assert.DoesNotContain(Allowed, (await AskAsync(server, origin, SecuredServer.Key)).Headers.Keys);
        }
    }

    [Fact]
    public async Task A_star_lets_every_page_in_but_never_with_credentials()
    {
        await using var server =
            await SecuredServer.StartAsync(SecuredServer.WithKeys(_folder) with { Origin = new() { CorsOrigins = ["*"] } });
        foreach (var reply in (Reply[])[await PreflightAsync(server, Page),
            await AskAsync(server, "https://any.example.com", SecuredServer.Key)])
        {
            Assert.Equal("*", reply.Headers[Allowed]);
            Assert.DoesNotContain("Access-Control-Allow-Credentials", reply.Headers.Keys);
        }
    }

    [Fact]
    public async Task A_request_that_only_looks_like_asking_first_is_closed()
    {
        await using var server =
            await SecuredServer.StartAsync(SecuredServer.WithKeys(_folder) with { Origin = new() { CorsOrigins = [Page] } });
        Assert.Equal(401, (await server.SendAsync(HttpMethod.Options, "/v1/models")).Status);
    }
}
