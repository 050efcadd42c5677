using DeRa.Serving.Rewards;

namespace DeRa.Serving.Sweeps;

/// <summary>Servers of the same models: each call goes to the one with the fewest under way.</summary>
/// <param name="servers">At least one; disposed with this.</param>
public sealed class ServerEndpoints(IReadOnlyList<ServerEndpoint> servers) : ISweepEndpoint, IDisposable
{
    private readonly Lock _gate = new();
    private readonly int[] _underWay = new int[servers.Count];

    /// <summary>The names that all of them serve; the pair's comes first.</summary>
    /// <exception cref="HttpRequestException">One does not respond, or they serve different names.</exception>
    public async Task<IReadOnlyList<string>> ModelsAsync(CancellationToken cancellation)
    {
        var models = await Task.WhenAll(servers.Select(server => server.ModelsAsync(cancellation)));
        foreach (var other in models)
            if (!other.SequenceEqual(models[0]))
                throw new HttpRequestException(
                    $"the servers serve different models: {string.Join(", ", models[0])}, and {string.Join(", ", other)}");
        return models[0];
    }

    /// <inheritdoc/>
    public Task<IReadOnlyList<GeneratedText>> GenerateAsync(
        SweepPrompt prompt, long seed, IReadOnlyList<double> strengths, int samples, CancellationToken cancellation) =>
        AtOneAsync(server => server.GenerateAsync(prompt, seed, strengths, samples, cancellation));

    /// <inheritdoc/>
    public Task<IReadOnlyList<ScoredText>> ScoreAsync(
        IReadOnlyList<CompletionTokens> texts, double strength, CancellationToken cancellation) =>
        AtOneAsync(server => server.ScoreAsync(texts, strength, cancellation));

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var server in servers) server.Dispose();
    }

    private async Task<T> AtOneAsync<T>(Func<ServerEndpoint, Task<T>> call)
    {
        int place;
        lock (_gate)
        {
            place = Array.IndexOf(_underWay, _underWay.Min());
            _underWay[place]++;
        }
        try
        {
            return await call(servers[place]);
        }
        finally
        {
            lock (_gate) _underWay[place]--;
        }
    }
}
