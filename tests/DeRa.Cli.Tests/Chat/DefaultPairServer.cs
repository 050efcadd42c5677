using DeRa.Server.Composition;
using DeRa.Server.Options;
using DeRa.Testing.Server;
using Microsoft.Extensions.Logging.Abstractions;
using Xunit;

namespace DeRa.Cli.Tests.Chat;

/// <summary>A server of the pair that comes with it.</summary>
internal static class DefaultPairServer
{
    /// <summary>Starts it and waits until it serves.</summary>
    public static async Task<ServerFixture> StartAsync()
    {
        var options = new ServerOptions { Compute = new() { Device = "cpu" }, Time = new() { DrainSeconds = 0 } };
        var server = await ServerFixture.StartLoadingAsync(PairStartup.For(options, NullLoggerFactory.Instance), options: options);
        await server.PhaseChangedAsync();
        Assert.Null(server.State.Failure);
        return server;
    }
}
