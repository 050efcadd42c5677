using System.Net.Sockets;
using System.Text;
using DeRa.Hosting.Connections;
using DeRa.Protos.V1;
using DeRa.Server.Options;
using Grpc.Core;
using Microsoft.Extensions.DependencyInjection;
using Xunit;

namespace DeRa.Server.Tests.Security;

/// <summary>
/// What the web server bounds before a request is one. Its answers to these have no body: they come before any of our code,
/// and it offers no place to add one.
/// </summary>
public class ConnectionLimitTests
{
    private static readonly CancellationToken Stop = TestContext.Current.CancellationToken;

    private static Task<TcpClient> ConnectAsync(ServerFixture server) => ConnectAsync(server.Http.BaseAddress!.Authority);

    private static async Task<TcpClient> ConnectAsync(string target)
    {
        var client = new TcpClient();
        await client.ConnectAsync("127.0.0.1", int.Parse(target.Split(':')[1], null), Stop);
        return client;
    }

    /// <summary>Sends a text and returns the status, or null where the connection is closed without one.</summary>
    private static async Task<int?> AskAsync(TcpClient client, string text)
    {
        await client.GetStream().WriteAsync(Encoding.ASCII.GetBytes(text), Stop);
        try
        {
            var buffer = new byte[65536];
            var length = await client.GetStream().ReadAsync(buffer, Stop);
            return length == 0 ? null : int.Parse(Encoding.ASCII.GetString(buffer, 0, length).Split(' ')[1], null);
        }
        catch (IOException)
        {
            return null;
        }
    }

    private static async Task<int?> AskAsync(ServerFixture server, string headers)
    {
        using var client = await ConnectAsync(server);
        return await AskAsync(client, $"GET /readyz HTTP/1.1\r\n{headers}\r\n");
    }

    private const string Host = "Host: localhost\r\n";

    [Theory]
    [InlineData(10)]
    [InlineData(100)]
    public async Task Headers_are_counted(int headers)
    {
        await using var server = await SecuredServer.StartAsync(headers == 100 ? new ServerOptions()
            : new ServerOptions { Connection = new() { MaxHeaders = headers } });
        string Headers(int count) => Host + string.Concat(Enumerable.Range(1, count - 1).Select(i => $"x-{i}: y\r\n"));
        Assert.Equal(200, await AskAsync(server, Headers(headers)));
        Assert.Equal(431, await AskAsync(server, Headers(headers + 1)));
    }

    [Theory]
    [InlineData(1024)]
    [InlineData(32 << 10)]
    public async Task Headers_may_be_so_long_together_and_not_a_byte_longer(int bytes)
    {
        await using var server = await SecuredServer.StartAsync(new ServerOptions { Connection = new() { MaxHeaderBytes = bytes } });
        string Headers(int length) => $"{Host}x: {new string('y', length - Host.Length - "x: \r\n".Length)}\r\n";
        Assert.Equal(200, await AskAsync(server, Headers(bytes)));
        Assert.Equal(431, await AskAsync(server, Headers(bytes + 1)));
    }

    [Fact]
    public async Task Too_long_headers_of_a_gRPC_call_fail_it_and_the_server_goes_on()
    {
        await using var server = await SecuredServer.StartAsync(new ServerOptions { Connection = new() { MaxHeaderBytes = 2048 } });
        var call = new GenerateRequest { Prompt = new Prompt { Text = "a" } };
        var metadata = new Metadata { { "x", new string('y', 4096) } };
        await Assert.ThrowsAsync<RpcException>(async () => await server.Inference.GenerateAsync(call, metadata, cancellationToken: Stop));
        Assert.Equal("fine", (await server.Inference.GenerateAsync(call, cancellationToken: Stop)).Choices[0].Text);
    }

    [Fact]
    public async Task A_request_line_is_bounded_and_a_request_without_a_host_is_none()
    {
        await using var server = await ServerFixture.StartAsync();
        using var client = await ConnectAsync(server);
        Assert.Equal(414, await AskAsync(client, $"GET /{new string('x', 8192)} HTTP/1.1\r\n{Host}\r\n"));
        Assert.Equal(400, await AskAsync(server, ""));
    }

    [Fact]
    public async Task One_connection_too_many_waits_until_another_is_closed()
    {
        await using var server = await SecuredServer.StartAsync(new ServerOptions { Connection = new() { MaxConnections = 2 } });
        var places = server.Services.GetRequiredService<ConnectionPlaces>();
        const string request = $"GET /readyz HTTP/1.1\r\n{Host}\r\n";
        using var first = await ConnectAsync(server);
        using var second = await ConnectAsync(server.Channel.Target);
        await ServerFixture.EventuallyAsync(() => places.InUse == 2);
        using var third = await ConnectAsync(server);
        using var fourth = await ConnectAsync(server);
        var waiting = AskAsync(third, request);
        Assert.Equal(200, await AskAsync(first, request));
        Assert.Equal(200, await AskAsync(first, request));
        Assert.False(waiting.IsCompleted);
        Assert.Equal(2, places.InUse);
        second.Close();
        Assert.Equal(200, await waiting);
        third.Close();
        Assert.Equal(200, await AskAsync(fourth, request));
    }

    [Fact]
    public async Task A_stop_does_not_wait_for_connections_that_wait()
    {
        await using var server = await SecuredServer.StartAsync(new ServerOptions { Connection = new() { MaxConnections = 1 } });
        using var first = await ConnectAsync(server);
        await ServerFixture.EventuallyAsync(() => server.Services.GetRequiredService<ConnectionPlaces>().InUse == 1);
        using var second = await ConnectAsync(server);
        using var third = await ConnectAsync(server.Channel.Target);
        await server.StopAsync().WaitAsync(Stop);
        Assert.Equal(0, server.Services.GetRequiredService<ConnectionPlaces>().InUse);
    }

    [Fact]
    public async Task A_client_that_does_not_end_its_headers_is_let_go()
    {
        await using var server = await SecuredServer.StartAsync(new ServerOptions { Connection = new() { HeaderSeconds = 1 } });
        using var client = await ConnectAsync(server);
        Assert.Equal(408, await AskAsync(client, "GET /readyz HTTP/1.1\r\nHost: loc"));
    }

    [Fact]
    public async Task A_connection_with_nothing_under_way_is_closed_after_a_time()
    {
        await using var server = await SecuredServer.StartAsync(new ServerOptions { Connection = new() { KeepAliveSeconds = 1 } });
        using var client = await ConnectAsync(server);
        Assert.Equal(200, await AskAsync(client, $"GET /readyz HTTP/1.1\r\n{Host}\r\n"));
        // Ends only where the server closes.
        await client.GetStream().CopyToAsync(Stream.Null, Stop);
    }
}
