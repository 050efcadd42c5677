using DeRa.Server.Options;

namespace DeRa.Server.Composition;

/// <summary>
/// Loads the pair once the doors are open, and on the way out first drains (the doors stay open and refuse), then stops the
/// engine, and only then lets the doors close.
/// </summary>
internal sealed class PairLifetime(
    PairSource source, ServingState state, ServerOptions options, TimeProvider time, IHostApplicationLifetime application,
    ILogger<PairLifetime> log) : IHostedLifecycleService, IDisposable
{
    private readonly CancellationTokenSource _stopping = new();
    private Task _loading = Task.CompletedTask;

    /// <summary>Begins to load; does not wait for it.</summary>
    public Task StartedAsync(CancellationToken cancellationToken)
    {
        _loading = Task.Run(LoadAsync, CancellationToken.None);
        return Task.CompletedTask;
    }

    /// <summary>Drains, at most for as long as the options say, then stops the engine: what still runs fails.</summary>
    public async Task StoppingAsync(CancellationToken cancellationToken)
    {
        await _stopping.CancelAsync();
        var idle = state.DrainAsync();
        try
        {
            await idle.WaitAsync(TimeSpan.FromSeconds(options.DrainSeconds), time, cancellationToken);
        }
        catch (Exception end) when (end is TimeoutException or OperationCanceledException)
        {
            ServerLog.DrainEndedEarly(log, options.DrainSeconds);
        }
        state.Pair?.Engine.Dispose();
        state.Close();
    }

    /// <summary>Lets a load that was under way end.</summary>
    public async Task StopAsync(CancellationToken cancellationToken) =>
        await _loading.WaitAsync(cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);

    /// <inheritdoc/>
    public void Dispose() => _stopping.Dispose();

    /// <summary>Nothing to do so early.</summary>
    public Task StartingAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    /// <inheritdoc cref="StartingAsync"/>
    public Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    /// <inheritdoc cref="StartingAsync"/>
    public Task StoppedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    private async Task LoadAsync()
    {
        try
        {
            var began = time.GetTimestamp();
            var pair = await source(state, _stopping.Token);
            if (!state.TryServe(pair)) pair.Engine.Dispose();
            else ServerLog.Serving(log, pair.Names.Pair, time.GetElapsedTime(began).TotalSeconds);
        }
        catch (OperationCanceledException) when (_stopping.IsCancellationRequested)
        {
            ServerLog.LoadCancelled(log);
        }
        catch (Exception fault)
        {
            ServerLog.LoadFailed(log, fault);
            state.Fail(fault.Message);
            application.StopApplication();
        }
    }
}
