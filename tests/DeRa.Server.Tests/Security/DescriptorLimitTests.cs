using System.Net.Http.Json;
using System.Net.Sockets;
using System.Text.Json;
using DeRa.Hosting.Connections;
using DeRa.Hosting.Options;
using DeRa.Protos.V1;
using DeRa.Server.Options;
using Grpc.Net.Client;
using Xunit;

namespace DeRa.Server.Tests.Security;

/// <summary>A limit of open files that many idle connections would exhaust.</summary>
public class DescriptorLimitTests
{
    private static readonly CancellationToken Stop = TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(null, 4096)]
    [InlineData(20_000, 4096)]
    [InlineData(4096 + DescriptorLimit.Reserved, 4096)]
    [InlineData(4096, 4096 - DescriptorLimit.Reserved)]
    [InlineData(DescriptorLimit.Reserved + 8, 8)]
    public void Connections_get_what_the_limit_leaves_beyond_the_reserve(int? limit, int connections) =>
        Assert.Equal(connections, DescriptorLimit.Fit(new ConnectionOptions { MaxConnections = 4096 }, limit).MaxConnections);

    [Fact]
    public void Too_low_a_limit_is_told_in_a_line()
    {
        var fault =
            Assert.Throws<OptionException>(() => DescriptorLimit.Fit(new ConnectionOptions(), DescriptorLimit.Reserved + 7)).Message;
        Assert.Equal("This process may have 327 files open; it needs at least 328 (ulimit -n).", fault);
        Assert.Equal(3, DescriptorLimit.Fit(new ConnectionOptions { MaxConnections = 3 }, DescriptorLimit.Reserved + 7).MaxConnections);
    }

    [Fact]
    public void The_help_tells_the_reserve() =>
        Assert.Contains($"beyond {DescriptorLimit.Reserved}", OptionReader.Help(), StringComparison.Ordinal);

    [Fact]
    public async Task More_idle_connections_than_files_may_be_open_stop_nothing_that_runs_and_leave_no_harm()
    {
        if (!OperatingSystem.IsLinux()) Assert.Skip("the limit is set with ulimit, sockets counted in /proc");
        const int limit = 400;
        const int most = limit - DescriptorLimit.Reserved;
        await using var server = await ServerProcess.StartLimitedAsync(limit);
        Assert.Contains(server.Lines, line => line.Contains($"only {most} connections are accepted at once", StringComparison.Ordinal));
        using (var info = JsonDocument.Parse(await server.Http.GetStringAsync("/info", Stop)))
            Assert.Equal(most, info.RootElement.GetProperty("options").GetProperty("max-connections").GetInt32());
        var before = server.Sockets;
        var idle = new List<TcpClient>();
        for (var i = 0; i <= limit; i++)
        {
            var client = new TcpClient();
            await client.ConnectAsync("127.0.0.1", (i % 2 == 0 ? server.Http.BaseAddress! : server.Grpc).Port, Stop);
            idle.Add(client);
        }
        // One of the places is that of the connection that asks; each port holds one more connection that waits.
        await server.EventuallyAsync(() => Task.FromResult(server.Sockets == before + most - 1 + 2));
        using (var served = await server.Http.PostAsJsonAsync("/v1/completions", new { prompt = "a", max_tokens = 2 }, Stop))
            Assert.Equal(200, (int)served.StatusCode);
        Assert.Equal(before + most - 1 + 2, server.Sockets);

        foreach (var client in idle) client.Dispose();
        using (var http = new HttpClient { BaseAddress = server.Http.BaseAddress })
            Assert.Equal("{\"status\":\"ready\"}", await http.GetStringAsync("/readyz", Stop));
        using var channel = GrpcChannel.ForAddress(server.Grpc);
        var models = await new InferenceService.InferenceServiceClient(channel)
            .ListModelsAsync(new ListModelsRequest(), cancellationToken: Stop);
        Assert.NotEmpty(models.Models);
        server.Terminate();
        Assert.Equal(0, await server.EndedAsync());
    }
}
