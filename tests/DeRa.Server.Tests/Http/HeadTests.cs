using System.Net;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Xunit;

namespace DeRa.Server.Tests.Http;

public class HeadTests
{
    private static readonly CancellationToken Stop = TestContext.Current.CancellationToken;

    /// <summary>The same routes are behind both ports; without TLS the one speaks HTTP/1.1 and the other HTTP/2.</summary>
    private static async Task<(HttpResponseMessage Response, byte[] Body)> SendAsync(
        ServerFixture server, HttpMethod method, string path, Version version)
    {
        var address = version == HttpVersion.Version20 ? new Uri("http://" + server.Channel.Target) : server.Http.BaseAddress!;
        using var request = new HttpRequestMessage(method, new Uri(address, path))
        {
            Version = version,
            VersionPolicy = HttpVersionPolicy.RequestVersionExact,
        };
        using var client = new HttpClient(new SocketsHttpHandler { AllowAutoRedirect = false });
        var response = await client.SendAsync(request, Stop);
        return (response, await response.Content.ReadAsByteArrayAsync(Stop));
    }

    private static IEnumerable<string> Headers(HttpResponseMessage response) => response.Headers.Concat(response.Content.Headers)
        .Where(header => header.Key.ToLowerInvariant() is not ("date" or "x-request-id" or "transfer-encoding" or "content-length"))
        .Select(header => $"{header.Key}: {string.Join(", ", header.Value)}").Order();

    [Theory]
    [InlineData("1.1")]
    [InlineData("2.0")]
    public async Task Whatever_answers_GET_answers_HEAD_with_the_same_headers_and_no_body(string version)
    {
        await using var server = await ServerFixture.StartAsync();
        var paths = server.Services.GetRequiredService<EndpointDataSource>().Endpoints.OfType<RouteEndpoint>()
            .Where(route => route.Metadata.GetMetadata<IHttpMethodMetadata>()?.HttpMethods.Contains("GET") == true)
            .Select(route => route.RoutePattern.RawText!.Replace("{**id}", "pair", StringComparison.Ordinal)).ToList();
        Assert.True(paths.Count > 8);
        // Errors are answered with a body too.
        foreach (var path in (string[])[.. paths, "/nowhere", "/v1/models/nobody", "/v1/models/pair@x"])
        {
            var (get, body) = await SendAsync(server, HttpMethod.Get, path, Version.Parse(version));
            var (head, none) = await SendAsync(server, HttpMethod.Head, path, Version.Parse(version));
            Assert.Equal((get.StatusCode, path), (head.StatusCode, path));
            Assert.Equal(Headers(get), Headers(head));
            Assert.Empty(none);
            // A length, where there is one, is that of GET's body.
            if (head.Content.Headers.NonValidated.TryGetValues("Content-Length", out var length)) Assert.Equal($"{body.Length}",
                length.ToString());
            get.Dispose();
            head.Dispose();
        }
    }

    [Theory]
    [InlineData("1.1", "HEAD", "/v1/completions", "POST")]
    [InlineData("2.0", "HEAD", "/v1/completions", "POST")]
    [InlineData("2.0", "HEAD", "/tokenize", "POST")]
    [InlineData("2.0", "HEAD", "/dera.v1.InferenceService/Generate", "POST")]
    [InlineData("2.0", "GET", "/v1/chat/completions", "POST")]
    [InlineData("2.0", "OPTIONS", "/v1/completions", "POST")]
    [InlineData("1.1", "OPTIONS", "/v1/models", "GET, HEAD")]
    [InlineData("2.0", "DELETE", "/v1/models", "GET, HEAD")]
    public async Task Another_method_is_refused_with_those_that_are_allowed(string version, string method, string path, string allowed)
    {
        await using var server = await ServerFixture.StartAsync();
        var (response, body) = await SendAsync(server, new HttpMethod(method), path, Version.Parse(version));
        Assert.Equal((HttpStatusCode.MethodNotAllowed, allowed), (response.StatusCode, string.Join(", ", response.Content.Headers.Allow)));
        Assert.Equal(method == "HEAD", body.Length == 0);
        response.Dispose();
    }
}
