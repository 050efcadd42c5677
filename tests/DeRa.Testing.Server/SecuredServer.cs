using System.Net.Http.Headers;
using System.Text;
using DeRa.Hosting.Security;
using DeRa.Server.Options;
using Grpc.Core;
using Microsoft.Extensions.Logging;

namespace DeRa.Testing.Server;

/// <summary>Starts servers with security options, and asks them with a key or without.</summary>
public static class SecuredServer
{
    /// <summary>A key with its hash: taken with another program (<c>printf %s KEY | sha256sum</c>).</summary>
    public const string Key = "dera-0123456789abcdef0123456789abcdef";

    public const string Hash = "sha256$d57ae60f4bf8174a3e3e1aab6b9aca9853719fe6061302b0526e8526bc0722ab";

    public const string OtherKey = "dera-fedcba9876543210fedcba9876543210";

    public const string OtherHash = "sha256$fdcb1e92c1f8a934c99ef32f3055b0ea83ab82e230d4c16ba94cd41f096ae8bc";

    internal static async Task<ServerFixture> StartAsync(ServerOptions options, ScriptedExecutor? executor = null,
        ILoggerProvider? logs = null, Func<HttpMessageHandler>? handler = null, TimeProvider? time = null)
    {
        executor ??= Scripts.Saying("fine");
        var pair = ServerFixture.Pair(executor, options.ToEngineOptions(), options.ToRequestLimits());
        var server = await ServerFixture.StartLoadingAsync(
            (_, _) => Task.FromResult(pair), executor, logs, options with { Time = options.Time with { DrainSeconds = 0 } }, handler, time);
        await server.PhaseChangedAsync();
        return server;
    }

    /// <summary>Options with the key <see cref="Key"/> of the name "alice" and <see cref="OtherKey"/> of the name "bob".</summary>
    internal static ServerOptions WithKeys(
        TemporaryFolder folder, string aliceSettings = "", Func<ApiKeyOptions, ApiKeyOptions>? change = null) => new()
        {
            Key = (change ?? (keys => keys))(new ApiKeyOptions
            {
                ApiKeys = folder.Write("keys", $"# two people\nalice {Hash} {aliceSettings}\n\nbob {OtherHash}\n"),
            }),
        };

    public static Metadata Credentials(string key = Key) => new() { { "authorization", $"Bearer {key}" } };

    public static HttpRequestMessage Request(HttpMethod method, string path, string? key = null, string? json = null)
    {
        var request = new HttpRequestMessage(method, path);
        if (key is not null) request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", key);
        if (json is not null) request.Content = new StringContent(json, Encoding.UTF8, "application/json");
        return request;
    }

    public static async Task<Reply> SendAsync(
        this ServerFixture server, HttpMethod method, string path, string? key = null, string? json = null)
    {
        using var request = Request(method, path, key, json);
        return await server.SendAsync(request);
    }

    public static async Task<Reply> SendAsync(this ServerFixture server, HttpRequestMessage request)
    {
        using var response = await server.Http.SendAsync(request, ServerFixture.Stop);
        return await Reply.ReadAsync(response);
    }

    public static Task<Reply> CompleteWithAsync(this ServerFixture server, string key, string json = """{"prompt":"a"}""") =>
        server.SendAsync(HttpMethod.Post, "/v1/completions", key, json);
}
