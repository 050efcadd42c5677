using System.Runtime.InteropServices;
using DeRa.Server.Options;
using DeRa.Server.State;
using DeRa.Serving;
using DeRa.Serving.Rewards;

namespace DeRa.Server.Composition;

/// <summary>
/// Loads the pair once the ports are open. At shutdown it first drains (the ports stay open and requests are refused), then stops
/// the engine, and only then lets the ports close. An engine that hangs is left behind: the process must end all the same.
/// </summary>
internal sealed class PairLifetime(
    PairSource source, ServingState state, ServerOptions options, ServerAddresses addresses, TimeProvider time,
    IHostApplicationLifetime application, ILogger<PairLifetime> log) : IHostedLifecycleService, IDisposable
{
    /// <summary>How long the engine's last step may take after the drain.</summary>
    public static readonly TimeSpan StopTime = TimeSpan.FromSeconds(10);

    private readonly CancellationTokenSource _stopping = new();
    private Task _loading = Task.CompletedTask;

    /// <summary>Begins to load; does not wait for it.</summary>
    public Task StartedAsync(CancellationToken cancellationToken)
    {
        ServerLog.Listening(log, "HTTP", addresses.Http);
        ServerLog.Listening(log, "gRPC", addresses.Grpc);
        _loading = Task.Run(LoadAsync, CancellationToken.None);
        return Task.CompletedTask;
    }

    /// <summary>
    /// Drains, at most for as long as the options say or until somebody at a terminal presses Ctrl+C again, then stops the engine:
    /// what still runs fails.
    /// </summary>
    public async Task StoppingAsync(CancellationToken cancellationToken)
    {
        await _stopping.CancelAsync();
        using var impatient = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        // SIGTERM again means nothing new: some supervisors repeat it.
        using var interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, signal =>
        {
            signal.Cancel = true;
            impatient.Cancel();
        });
        await DrainAsync(impatient.Token);
        if (state.Pair?.Engine.Stop(StopTime) == false) ServerLog.EngineHangs(log, StopTime.TotalSeconds);
        state.Close();
    }

    private async Task DrainAsync(CancellationToken impatient)
    {
        var idle = state.DrainAsync();
        if (!idle.IsCompleted) ServerLog.Draining(log, options.Time.DrainSeconds);
        try
        {
            await idle.WaitAsync(TimeSpan.FromSeconds(options.Time.DrainSeconds), time, impatient);
        }
        catch (Exception end) when (end is TimeoutException or OperationCanceledException)
        {
            ServerLog.DrainEndedEarly(log);
        }
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

    /// <summary>Serves a loaded pair with its rewards, or disposes both.</summary>
    private bool TryServe(ServedPair pair)
    {
        RewardSet? rewards = null;
        var isServing = false;
        try
        {
            rewards = new RewardSet(options.Model.ReadRewards(), pair, (name, error) => ServerLog.RewardFailed(log, name, error),
                (name, line) => ServerLog.RewardErrorLine(log, name, line));
            return isServing = state.TryServe(pair, rewards);
        }
        finally
        {
            if (!isServing)
            {
                rewards?.Dispose();
                pair.Engine.Dispose();
            }
        }
    }

    private async Task LoadAsync()
    {
        try
        {
            var began = time.GetTimestamp();
            var pair = await source(state, _stopping.Token);
            var took = time.GetElapsedTime(began);
            if (!TryServe(pair)) return;
            ServerLog.Serving(log, pair.Names.Pair, took.TotalSeconds);
            ServerLog.Ready(log, addresses.Local, addresses.Example);
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
