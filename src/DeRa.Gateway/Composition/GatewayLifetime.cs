using DeRa.Gateway.Options;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;

namespace DeRa.Gateway.Composition;

/// <summary>Says where the gateway listens, and drains it before its ports close.</summary>
internal sealed class GatewayLifetime(
    GatewayState state, GatewayOptions options, IServer server, TimeProvider time, ILogger<GatewayLifetime> log) : IHostedLifecycleService
{
    /// <summary>Says where it listens.</summary>
    public Task StartedAsync(CancellationToken cancellationToken)
    {
        var addresses = server.Features.Get<IServerAddressesFeature>()!.Addresses;
        GatewayLog.Listening(log, "HTTP", addresses.First());
        GatewayLog.Listening(log, "gRPC", addresses.Last());
        return Task.CompletedTask;
    }

    /// <summary>Waits for what runs, at most for as long as the options say.</summary>
    public async Task StoppingAsync(CancellationToken cancellationToken)
    {
        var idle = state.DrainAsync();
        if (!idle.IsCompleted) GatewayLog.Draining(log, options.Forwarding.DrainSeconds);
        try
        {
            await idle.WaitAsync(TimeSpan.FromSeconds(options.Forwarding.DrainSeconds), time, cancellationToken);
        }
        catch (Exception end) when (end is TimeoutException or OperationCanceledException)
        {
            GatewayLog.DrainEndedEarly(log);
        }
    }

    /// <summary>Nothing to do so early.</summary>
    public Task StartingAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    /// <inheritdoc cref="StartingAsync"/>
    public Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    /// <inheritdoc cref="StartingAsync"/>
    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    /// <inheritdoc cref="StartingAsync"/>
    public Task StoppedAsync(CancellationToken cancellationToken) => Task.CompletedTask;
}
