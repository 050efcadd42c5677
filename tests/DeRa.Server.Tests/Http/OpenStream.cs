using System.Text;
using System.Text.Json;
using Xunit;

namespace DeRa.Server.Tests.Http;

/// <summary>A stream that is read event by event.</summary>
internal sealed class OpenStream(HttpResponseMessage response, StreamReader lines) : IDisposable
{
    /// <summary>By which it is found while it runs.</summary>
    public string Id => Assert.Single(response.Headers.GetValues("x-generation-id"));

    /// <summary>Sends a request that must begin well.</summary>
    public static async Task<OpenStream> StartAsync(
        ServerFixture server, string json, string path = "/v1/completions", string? key = null)
    {
        using var request = SecuredServer.Request(HttpMethod.Post, path, key, json);
        var response = await server.Http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, ServerFixture.Stop);
        Assert.Equal(200, (int)response.StatusCode);
        return new OpenStream(response,
            new StreamReader(await response.Content.ReadAsStreamAsync(ServerFixture.Stop), Encoding.UTF8));
    }

    /// <summary>The next event; null at the end.</summary>
    public async Task<JsonElement?> NextAsync()
    {
        while (await lines.ReadLineAsync(ServerFixture.Stop) is { } line)
        {
            if (line.Length == 0) continue;
            if (line == "data: [DONE]") return null;
            using var json = JsonDocument.Parse(line["data: ".Length..]);
            return json.RootElement.Clone();
        }
        return null;
    }

    public void Dispose()
    {
        lines.Dispose();
        response.Dispose();
    }
}
