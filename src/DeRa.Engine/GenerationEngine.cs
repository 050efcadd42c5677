using System.Collections.Concurrent;
using DeRa.Engine.Admission;
using DeRa.Engine.Requests;
using DeRa.Engine.Scheduling;
using DeRa.Engine.Telemetry;
using Microsoft.Extensions.Logging;

namespace DeRa.Engine;

/// <summary>
/// Runs all requests in one continuous batch on one thread of its own. <see cref="Submit"/> takes work from any thread;
/// events come back on each sequence's channel. After that only <see cref="GenerationHandle.Cancel"/> and
/// <see cref="GenerationHandle.ChangeStrengths"/> reach a sequence.
/// </summary>
public sealed class GenerationEngine : IDisposable
{
    private readonly AdmissionGate _gate;
    private readonly Scheduler _scheduler;
    private readonly FaultIsolatingExecutor _executor;
    private readonly EngineMetrics _metrics;
    private readonly TimeProvider _time;
    private readonly ILogger _log;
    private readonly Thread _thread;
    private readonly ConcurrentQueue<Sequence> _inbox = new();
    // Never disposed: handles outlive the engine and may still cancel. An event, since signals to a busy engine must not add up.
    private readonly AutoResetEvent _wake = new(false);
    private volatile bool _stopping;
    private long _heartbeatTimestamp;

    /// <summary>Starts the engine's thread.</summary>
    /// <param name="executor">Runs the models. The engine owns it: it is used by the engine's thread alone and disposed there.</param>
    /// <param name="options">How much to do at once.</param>
    /// <param name="time">The clock of the heartbeat and of the metrics.</param>
    /// <param name="log">Faults are logged here.</param>
    /// <exception cref="ArgumentOutOfRangeException">An option is out of range.</exception>
    public GenerationEngine(IStepExecutor executor, EngineOptions options, TimeProvider time, ILogger<GenerationEngine> log)
    {
        options.Validated();
        _time = time;
        _log = log;
        _executor = new FaultIsolatingExecutor(executor, log);
        Limits = executor.Limits;
        _gate = new AdmissionGate(options.MaxQueued, options.MaxQueuedTokens);
        _scheduler = new Scheduler(Limits, options.MaxBatchTokens, options.MaxRunning)
        {
            Admitted = OnAdmitted,
            Generated = (sequence, before) => _metrics!.Generated(sequence, before),
            Ended = OnEnded,
        };
        _metrics = new EngineMetrics(options.ModelName, Limits, () => Status, time);
        _heartbeatTimestamp = _time.GetTimestamp();
        _thread = new Thread(Run) { Name = "DeRa engine", IsBackground = true };
        _thread.Start();
    }

    /// <summary>What the loaded models and their cache can take.</summary>
    public ExecutorLimits Limits { get; }

    /// <summary>A snapshot of the load; any thread.</summary>
    public EngineStatus Status
    {
        get
        {
            var (queued, running) = _gate.Load;
            return new(running, queued, _scheduler.Blocks.InUse, _scheduler.Blocks.Count,
                _time.GetElapsedTime(Interlocked.Read(ref _heartbeatTimestamp)), _thread.IsAlive && !_stopping, _executor.FailedSteps);
        }
    }

    /// <summary>The clock of all timestamps.</summary>
    public TimeProvider Time => _time;

    /// <summary>Takes a request, all of its sequences or none; any thread.</summary>
    /// <param name="sequences">At least one; the handles come back in this order.</param>
    /// <exception cref="AdmissionException">
    /// The queue is full or could not take it even if it were empty, or the engine is draining or stopped.
    /// </exception>
    /// <exception cref="ArgumentException">A sequence has no prompt, or can never fit into the context and the cache.</exception>
    public IReadOnlyList<GenerationHandle> Submit(IReadOnlyList<GenerationRequest> sequences)
    {
        foreach (var request in sequences) CheckFits(request);
        _gate.CheckEverFits(sequences);
        var now = _time.GetTimestamp();
        var admitted = sequences.Select(request => new Sequence(request, now)).ToArray();
        _gate.Enter(admitted.Length, admitted.Sum(s => (long)s.Request.PromptTokens.Count), () =>
        {
            foreach (var sequence in admitted) _inbox.Enqueue(sequence);
        });
        _wake.Set();
        return Array.ConvertAll(admitted, sequence => new GenerationHandle(sequence, _wake, _metrics));
    }

    /// <summary>Refuses new work from now on; what waits and runs goes on.</summary>
    public void Drain() => _gate.Close(AdmissionReason.Draining, "The server is shutting down.");

    /// <summary>Stops the engine: ends what still waits or runs with a failure, frees the models, joins the thread.</summary>
    public void Dispose() => Stop(Timeout.InfiniteTimeSpan);

    /// <summary>As <see cref="Dispose"/>, but does not wait for ever where a step hangs.</summary>
    /// <param name="longest">How long to wait for the step under way.</param>
    /// <returns>
    /// False where the step has not ended: the thread and the models stay as they are, and what waits or runs hears nothing.
    /// Only the end of the process helps then.
    /// </returns>
    public bool Stop(TimeSpan longest)
    {
        _gate.Close(AdmissionReason.Stopped, "The engine has stopped.");
        _stopping = true;
        _wake.Set();
        if (Thread.CurrentThread != _thread && !_thread.Join(longest)) return false;
        _metrics.Dispose();
        return true;
    }

    private void Run()
    {
        Exception end = new GenerationFailedException("The engine has stopped.") { IsStopped = true };
        try
        {
            while (WaitForWork()) Step();
        }
        catch (Exception fault)
        {
            EngineLog.Faulted(_log, fault);
            end = new GenerationFailedException("The engine has stopped after a fault.", fault) { IsStopped = true };
        }
        _gate.Close(AdmissionReason.Stopped, end.Message);
        TakeInbox();
        Guarded(() => _scheduler.FailAll(end));
        Guarded(_executor.Dispose);
    }

    /// <summary>What goes wrong at the end is logged: thrown on this thread, it would end the process.</summary>
    private void Guarded(Action action)
    {
        try
        {
            action();
        }
        catch (Exception fault)
        {
            EngineLog.Faulted(_log, fault);
        }
    }

    private void Step()
    {
        _scheduler.Admit();
        _scheduler.DropCancelled();
        var plan = _scheduler.Plan();
        var began = _time.GetTimestamp();
        var result = _executor.Execute(plan);
        var ended = _time.GetTimestamp();
        _metrics.Stepped(plan, result, _time.GetElapsedTime(began, ended));
        _scheduler.Commit(plan, result, ended);
    }

    /// <summary>Returns once there is something to do; false once the engine is to stop. Beats the heart meanwhile.</summary>
    private bool WaitForWork()
    {
        TakeInbox();
        Beat();
        while (!_stopping && !_scheduler.HasWork)
        {
            _wake.WaitOne(IdleBeat);
            TakeInbox();
            Beat();
        }
        return !_stopping;
    }

    private void OnAdmitted(Sequence sequence)
    {
        _gate.Leave(sequence.Request.PromptTokens.Count, runs: true);
        sequence.Clock.Admitted = _time.GetTimestamp();
    }

    private void OnEnded(Sequence sequence)
    {
        if (sequence.Clock.Admitted is null) _gate.Leave(sequence.Request.PromptTokens.Count, runs: false);
        else _gate.Finish();
        sequence.Clock.Ended = _time.GetTimestamp();
        _metrics.Ended(sequence);
    }

    /// <summary>A sequence that can never be admitted would hold up all behind it for ever.</summary>
    private void CheckFits(GenerationRequest request)
    {
        var most = Math.Min(Limits.ContextTokens, (long)Limits.BlockCount * Limits.BlockTokens);
        var tokens = request.PromptTokens.Count + (long)request.MaxTokens;
        if (request.PromptTokens.Count == 0 || request.MaxTokens < 0 || tokens > most)
            throw new ArgumentException($"a sequence has {request.PromptTokens.Count} prompt tokens and may generate {request.MaxTokens}: "
                + $"at least 1 and at least 0 are needed, together at most {most}", nameof(request));
    }

    private void TakeInbox()
    {
        while (_inbox.TryDequeue(out var sequence)) _scheduler.Enqueue(sequence);
    }

    private void Beat() => Interlocked.Exchange(ref _heartbeatTimestamp, _time.GetTimestamp());

    private static readonly TimeSpan IdleBeat = TimeSpan.FromSeconds(1);
}
