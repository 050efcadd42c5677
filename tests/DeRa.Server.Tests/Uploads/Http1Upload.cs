using System.Net.Sockets;
using System.Text;
using Xunit;

namespace DeRa.Server.Tests.Uploads;

/// <summary>A POST over HTTP/1.1, byte by byte as a test wants it.</summary>
internal sealed class Http1Upload : IDisposable
{
    private readonly TcpClient _client = new();

    /// <summary>Connects and sends a request's headers.</summary>
    /// <param name="server">The server's address.</param>
    /// <param name="path">Where to.</param>
    /// <param name="framing">The header that frames the body.</param>
    /// <param name="key">The API key; null = none.</param>
    public static async Task<Http1Upload> BeginAsync(Uri server, string path, string framing, string? key = null)
    {
        var upload = new Http1Upload();
        await upload._client.ConnectAsync(server.Host, server.Port, ServerFixture.Stop);
        var authorization = key is null ? "" : $"Authorization: Bearer {key}\r\n";
        await upload.SendAsync(
            $"POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n{authorization}{framing}\r\n\r\n");
        return upload;
    }

    public Task SendAsync(string text) => _client.GetStream().WriteAsync(Encoding.UTF8.GetBytes(text), ServerFixture.Stop).AsTask();

    /// <summary>Waits until the server reads the body, which it says where the headers hold <c>Expect: 100-continue</c>.</summary>
    public async Task ContinuedAsync()
    {
        var (text, buffer) = ("", new byte[1]);
        while (!text.EndsWith("\r\n\r\n", StringComparison.Ordinal))
        {
            await _client.GetStream().ReadExactlyAsync(buffer, ServerFixture.Stop);
            text += (char)buffer[0];
        }
        Assert.StartsWith("HTTP/1.1 100 ", text);
    }

    /// <summary>The response as far as it has come when the connection ends, or its body's JSON object does.</summary>
    public async Task<string> ResponseAsync()
    {
        var (text, buffer) = (new StringBuilder(), new byte[4096]);
        while (!text.ToString().TrimEnd('\r', '\n', '0').EndsWith('}'))
        {
            var length = await _client.GetStream().ReadAsync(buffer, ServerFixture.Stop);
            if (length == 0) break;
            text.Append(Encoding.UTF8.GetString(buffer, 0, length));
        }
        return text.ToString();
    }

    /// <summary>The response's status.</summary>
    public async Task<int> StatusAsync() => int.Parse((await ResponseAsync()).Split(' ')[1], null);

    /// <summary>Ends the connection as a process that is killed does: with a reset.</summary>
    public void Reset()
    {
        _client.LingerState = new LingerOption(true, 0);
        _client.Client.Close();
    }

    /// <summary>Sends nothing more.</summary>
    public void End() => _client.Client.Shutdown(SocketShutdown.Send);

    public void Dispose() => _client.Dispose();
}
