using System.Threading.RateLimiting;

namespace DeRa.Hosting.Security;

/// <summary>
/// How many requests that generate or encode a key may send in a minute and have under way at once. Without keys all clients
/// count as one: addresses say little behind a proxy, and a client can have many. Limiters of keys that are idle or gone are
/// dropped. A request counts once its body is there: one that trickles in must not keep the others out.
/// </summary>
public sealed class RequestLimiting(ApiKeyOptions options) : IDisposable
{
    private readonly PartitionedRateLimiter<HttpContext> _limiter =
        PartitionedRateLimiter.Create<HttpContext, Client>(context => Partition(context, options));

    /// <summary>The highest limit that can be set.</summary>
    public const int MaxLimit = 1_000_000;

    /// <summary>Who is counted. A key whose limits change counts anew.</summary>
    /// <param name="Key">The key's name; null = everybody.</param>
    /// <param name="RequestsPerMinute">Null = any number.</param>
    /// <param name="ConcurrentRequests">Null = any number.</param>
    private readonly record struct Client(string? Key, int? RequestsPerMinute, int? ConcurrentRequests);

    /// <summary>Counts a request; disposing the result ends it.</summary>
    /// <exception cref="LimitExceededException">It is one too many.</exception>
    public IDisposable Enter(HttpContext context)
    {
        var lease = _limiter.AttemptAcquire(context);
        if (lease.IsAcquired) return lease;
        using (lease) throw Refusal(lease);
    }

    /// <inheritdoc/>
    public void Dispose() => _limiter.Dispose();

    private static RateLimitPartition<Client> Partition(HttpContext context, ApiKeyOptions options)
    {
        var key = context.Features.Get<ApiKey>();
        var client = new Client(key?.Name,
            key?.RequestsPerMinute ?? options.MaxRequestsPerMinute, key?.ConcurrentRequests ?? options.MaxConcurrentRequests);
        return client is { RequestsPerMinute: null, ConcurrentRequests: null }
            ? RateLimitPartition.GetNoLimiter(client) : RateLimitPartition.Get(client, Limiter);
    }

    /// <summary>The number at once is asked first: a request that it refuses does not count for the minute.</summary>
    private static RateLimiter Limiter(Client client)
    {
        var limiters = new List<RateLimiter>(2);
        if (client.ConcurrentRequests is { } atOnce)
            limiters.Add(new ConcurrencyLimiter(new ConcurrencyLimiterOptions { PermitLimit = atOnce, QueueLimit = 0 }));
        if (client.RequestsPerMinute is { } rate) limiters.Add(new TokenBucketRateLimiter(Bucket(rate)));
        return limiters.Count == 1 ? limiters[0] : RateLimiter.CreateChained([.. limiters]);
    }

    /// <summary>A minute's worth may come at once; then it comes back evenly, about every second or, below 60, one by one.</summary>
    private static TokenBucketRateLimiterOptions Bucket(int rate)
    {
        var together = Math.Max(1, (int)Math.Round(rate / 60.0));
        return new TokenBucketRateLimiterOptions
        {
            TokenLimit = rate,
            TokensPerPeriod = together,
            ReplenishmentPeriod = TimeSpan.FromMinutes((double)together / rate),
            QueueLimit = 0,
        };
    }

    private static LimitExceededException Refusal(RateLimitLease lease) => lease.TryGetMetadata(MetadataName.RetryAfter, out var after)
        ? new LimitExceededException("Too many requests in a minute.", Math.Max(1, (int)Math.Ceiling(after.TotalSeconds)))
        : new LimitExceededException("Too many requests at once.", 1);
}
