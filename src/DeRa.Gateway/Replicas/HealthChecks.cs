using System.Net.Http.Headers;
using System.Text.Json;
using DeRa.Gateway.Options;

namespace DeRa.Gateway.Replicas;

/// <summary>
/// Looks at each replica every so often: whether it is ready, and how much it has to do. One that takes long keeps no other one waiting.
/// </summary>
/// <param name="set">The replicas.</param>
/// <param name="options">How often.</param>
/// <param name="replicaOptions">With which key.</param>
/// <param name="trust">Whose certificates they may have.</param>
/// <param name="time">The clock.</param>
/// <param name="log">Receives who becomes ready or no longer is.</param>
public sealed class HealthChecks(
    ReplicaSet set, HealthOptions options, ReplicaOptions replicaOptions, ReplicaTrust trust, TimeProvider time, ILogger<HealthChecks> log)
    : BackgroundService
{
    private const int MaxResponseBytes = 4 << 20;

    private readonly TimeSpan _most = TimeSpan.FromSeconds(options.HealthTimeoutSeconds);
    private readonly Dictionary<Replica, Task> _looks = [];
    private Task<bool>? _tick;

    /// <inheritdoc/>
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var http = new HttpClient(Handler())
        {
            MaxResponseContentBufferSize = MaxResponseBytes,
            Timeout = Timeout.InfiniteTimeSpan,
        };
        using var looks = new PeriodicTimer(TimeSpan.FromSeconds(options.HealthSeconds), time);
        using var changed = new SemaphoreSlim(0);
        void Look() => changed.Release();
        set.Changed += Look;
        try
        {
            while (!stoppingToken.IsCancellationRequested)
            {
                LookAtAll(http, stoppingToken);
                await NextAsync(looks, changed, stoppingToken);
            }
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            // The gateway stops.
        }
        finally
        {
            set.Changed -= Look;
            await Task.WhenAll(_looks.Values);
        }
    }

    private SocketsHttpHandler Handler() =>
        new() { UseProxy = false, AllowAutoRedirect = false, ConnectTimeout = _most, SslOptions = trust.Handshake() };

    private void LookAtAll(HttpClient http, CancellationToken cancellation)
    {
        foreach (var (replica, look) in _looks.ToList())
            if (look.IsCompleted) _looks.Remove(replica);
        foreach (var replica in set.All)
            if (!_looks.ContainsKey(replica)) _looks[replica] = LookAsync(http, replica, cancellation);
    }

    /// <summary>Waits for the next time, or for new replicas: nobody should wait for their first look.</summary>
    private async Task NextAsync(PeriodicTimer looks, SemaphoreSlim changed, CancellationToken cancellation)
    {
        _tick ??= looks.WaitForNextTickAsync(cancellation).AsTask();
        using var enough = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        var change = changed.WaitAsync(enough.Token);
        var first = await Task.WhenAny(_tick, change);
        await enough.CancelAsync();
        if (first == change) return;
        await _tick;
        _tick = null;
        await change.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    private async Task LookAsync(HttpClient http, Replica replica, CancellationToken cancellation)
    {
        using var late = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        late.CancelAfter(_most);
        try
        {
            if (await ProblemAsync(http, replica, late.Token) is { } problem) Unready(replica, problem);
            else if (replica.BecomeReady()) GatewayLog.ReplicaReady(log, replica.Name);
            var before = replica.InFlight;
            replica.Report(await LoadAsync(http, replica, late.Token), before);
        }
        catch (OperationCanceledException) when (cancellation.IsCancellationRequested)
        {
            // The gateway stops.
        }
        catch (Exception fault) when (fault is HttpRequestException or IOException or OperationCanceledException)
        {
            // What is at the bottom says more: a certificate that is not trusted, a connection that was refused.
            Unready(replica, fault is OperationCanceledException ? $"no response in {options.HealthTimeoutSeconds} s"
                : fault.GetBaseException().Message);
        }
    }

    private void Unready(Replica replica, string reason)
    {
        if (replica.BecomeUnready(reason)) GatewayLog.ReplicaUnready(log, replica.Name, reason);
    }

    /// <summary>Why it is not ready; null = it is.</summary>
    private static async Task<string?> ProblemAsync(HttpClient http, Replica replica, CancellationToken cancellation)
    {
        using var request = Request(replica, "readyz");
        using var response = await http.SendAsync(request, cancellation);
        return response.IsSuccessStatusCode ? null
            : Status(await response.Content.ReadAsStringAsync(cancellation)) ?? $"/readyz responds {(int)response.StatusCode}";
    }

    /// <summary>What a replica of ours says of itself: loading, draining.</summary>
    private static string? Status(string body)
    {
        try
        {
            using var json = JsonDocument.Parse(body);
            return json.RootElement.GetProperty("status").GetString();
        }
        catch (Exception other) when (other is JsonException or InvalidOperationException or KeyNotFoundException)
        {
            return null;
        }
    }

    private async Task<double?> LoadAsync(HttpClient http, Replica replica, CancellationToken cancellation)
    {
        using var request = Request(replica, "metrics");
        if (replicaOptions.ReplicaKey is { } key) request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", key.Value);
        try
        {
            using var response = await http.SendAsync(request, cancellation);
            return response.IsSuccessStatusCode ? ReportedLoad.Read(await response.Content.ReadAsStringAsync(cancellation)) : null;
        }
        catch (Exception fault) when (fault is HttpRequestException or IOException or OperationCanceledException)
        {
            // It is ready all the same; what it has to do is then known by this gateway's own requests alone.
            return null;
        }
    }

    private static HttpRequestMessage Request(Replica replica, string path)
    {
        var request = new HttpRequestMessage(HttpMethod.Get, new Uri(replica.Address.Http, path));
        request.Headers.Host = replica.Address.HostOf(replica.Address.Http);
        return request;
    }
}
