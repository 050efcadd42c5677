using System.Net;
using System.Net.Sockets;
using DeRa.Gateway.Options;

namespace DeRa.Gateway.Replicas;

/// <summary>Replicas by name: each of a name's addresses is one. Where a name cannot be asked for, what it last had stays.</summary>
/// <param name="set">Receives them.</param>
/// <param name="options">Which names, and how often.</param>
/// <param name="names">Looks names up.</param>
/// <param name="time">The clock.</param>
/// <param name="log">Receives what goes wrong.</param>
public sealed class DnsDiscovery(
    ReplicaSet set, ReplicaOptions options, INameLookup names, TimeProvider time, ILogger<DnsDiscovery> log) : BackgroundService
{
    /// <inheritdoc/>
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        if (options.ReplicaDns.Count == 0) return;
        using var looks = new PeriodicTimer(TimeSpan.FromSeconds(options.DiscoverySeconds), time);
        try
        {
            do
                foreach (var text in options.ReplicaDns) await RefreshAsync(text, stoppingToken);
            while (await looks.WaitForNextTickAsync(stoppingToken));
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            // The gateway stops.
        }
    }

    private async Task RefreshAsync(string text, CancellationToken cancellation)
    {
        var named = ReplicaAddress.Parse(text, "--replica-dns");
        try
        {
            var addresses = await names.FindAsync(named.Http.Host, cancellation);
            set.Set(text, [.. addresses.Select(named.At)]);
        }
        catch (SocketException fault)
        {
            GatewayLog.LookupFailed(log, named.Http.Host, fault.Message);
        }
    }
}

/// <summary>Looks names up: the system's resolver, or a test's.</summary>
public interface INameLookup
{
    /// <summary>A name's addresses.</summary>
    /// <exception cref="SocketException">They cannot be had.</exception>
    Task<IReadOnlyList<IPAddress>> FindAsync(string name, CancellationToken cancellation);
}

/// <summary>The system's resolver.</summary>
public sealed class SystemNames : INameLookup
{
    /// <inheritdoc/>
    public async Task<IReadOnlyList<IPAddress>> FindAsync(string name, CancellationToken cancellation) =>
        await Dns.GetHostAddressesAsync(name, cancellation);
}
