using System.Collections.Concurrent;
using DeRa.Engine.Admission;
using DeRa.Engine.Branches;
using DeRa.Engine.Requests;
using DeRa.Engine.Scheduling;
using DeRa.Engine.Telemetry;
using Microsoft.Extensions.Logging;

namespace DeRa.Engine;

/// <summary>
/// Runs all requests in one continuous batch on one thread of its own. <see cref="Submit"/> takes work from any thread;
/// events come back on each sequence's channel. After that only what its handle asks for reaches a sequence.
/// </summary>
public sealed class GenerationEngine : IDisposable
{
    private readonly AdmissionGate _gate;
    private readonly Scheduler _scheduler;
    private readonly FaultIsolatingExecutor _executor;
    private readonly EngineMetrics _metrics;
    private readonly int _maxRunning;
    private readonly bool _sharesPrefixes;
    private readonly TimeProvider _time;
    private readonly ILogger _log;
    private readonly Thread _thread;
    private readonly ConcurrentQueue<SequenceGroup> _submitted = new();
    private readonly ConcurrentQueue<SequenceGroup> _signalled = new();
    // Never disposed: handles outlive the engine and may still cancel. An event, since signals to a busy engine must not add up.
    private readonly AutoResetEvent _wake = new(false);
    private volatile bool _stopping;
    private int _lastBranch;
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
        _metrics = new EngineMetrics(options.ModelName, Limits, () => Status, time);
        (_maxRunning, _sharesPrefixes) = (options.MaxRunning, options.PrefixCache);
        var scheduling = new SchedulerOptions
        {
            MaxRunning = options.MaxRunning,
            MaxBatchTokens = options.MaxBatchTokens,
            LongestStep = TimeSpan.FromMilliseconds(options.MaxStepMilliseconds),
            Speculation = options.Speculation,
            KeepsBlocks = options.PrefixCache,
            BlockHashBits = options.BlockHashBits,
        };
        _scheduler = new Scheduler(Limits, scheduling)
        {
            Observer = new SchedulerObserver(_gate, _metrics, time),
        };
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
    /// <param name="hasBarrier">
    /// Whether they wait for each other: then they begin to run, and go back to the queue, as one.
    /// </param>
    /// <exception cref="AdmissionException">
    /// The queue is full or could not take it even if it were empty; sequences that wait for each other could never all run at once; or the
    /// engine is draining or stopped.
    /// </exception>
    /// <exception cref="ArgumentException">
    /// A sequence has no prompt, can never fit into the context and the cache, or has strengths for other models than there are.
    /// </exception>
    public IReadOnlyList<GenerationHandle> Submit(IReadOnlyList<GenerationRequest> sequences, bool hasBarrier = false)
    {
        foreach (var request in sequences)
        {
            CheckFits(request);
            CheckStrengths(request);
        }
        _gate.CheckEverFits(sequences);
        if (hasBarrier) CheckFitTogether(sequences);
        var now = _time.GetTimestamp();
        var first = Interlocked.Add(ref _lastBranch, sequences.Count) - sequences.Count + 1;
        var branches = sequences.Select((request, i) => new Branch(first + i, request, Limits.ModelCount, new BranchClock(now))
        {
            CacheScope = _sharesPrefixes ? "salt " + request.CacheSalt : $"request {first}",
        }).ToArray();
        if (hasBarrier)
        {
            var unit = new SchedulingUnit(branches);
            foreach (var branch in branches) branch.Unit = unit;
        }
        var group = new SequenceGroup(branches, Signal);
        _gate.Enter(branches.Length, branches.Sum(branch => (long)branch.Request.PromptTokens.Count), () => _submitted.Enqueue(group));
        _wake.Set();
        return Array.ConvertAll(branches, branch => new GenerationHandle(branch, group, Limits, _metrics));
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
        var plan = _scheduler.Plan();
        var began = _time.GetTimestamp();
        var result = _executor.Execute(plan);
        var ended = _time.GetTimestamp();
        var took = _time.GetElapsedTime(began, ended);
        _metrics.Stepped(plan, result, took);
        _scheduler.Commit(plan, result, ended, took);
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

    /// <summary>A sequence that can never be admitted would hold up all behind it for ever.</summary>
    private void CheckFits(GenerationRequest request)
    {
        var prompts = request.PromptOfModel.Values.Prepend(request.PromptTokens).ToArray();
        var most = Math.Min(Limits.ContextTokens, (long)Limits.BlockCount * Limits.BlockTokens);
        var (shortest, longest) = (prompts.Min(prompt => prompt.Count), prompts.Max(prompt => prompt.Count));
        if (shortest == 0 || request.MaxTokens < 0 || longest + (long)request.MaxTokens > most || BlocksFor(request) > Limits.BlockCount)
            throw new ArgumentException($"a sequence has {longest} prompt tokens and may generate {request.MaxTokens}: "
                + $"at least 1 and at least 0 are needed, together at most {most}", nameof(request));
        if (prompts.Length > 1 && (request.PromptLogProbs is not null || request.Scoring is not null))
            throw new ArgumentException("a prompt cannot be scored where models read prompts of their own", nameof(request));
        if (request.Scoring is { } scoring) CheckScoring(request, scoring);
    }

    private void CheckStrengths(GenerationRequest request)
    {
        request.Strengths.CheckFor(Limits.ModelCount);
        if (request.Schedule is not { } schedule) return;
        schedule.CheckFor(Limits.ModelCount);
        if (!schedule.At(0).Equals(request.Strengths))
            throw new ArgumentException("a schedule must begin with the request's own strengths", nameof(request));
    }

    private static void CheckScoring(GenerationRequest request, PromptScoring scoring)
    {
        var isOther = scoring.Strengths.Any(strengths => !strengths.ActiveModels.All(request.Strengths.IsActive));
        if (scoring.FirstToken < 1 || scoring.FirstToken >= request.PromptTokens.Count || scoring.Strengths.Count == 0 || isOther
            || request.MaxTokens != 0 || request.PromptLogProbs is not null)
            throw new ArgumentException($"tokens {scoring.FirstToken} to {request.PromptTokens.Count - 1} cannot be scored at "
                + $"{scoring.Strengths.Count} strengths: at least one of each is needed, from the second on, of models that the request's "
                + "own strengths weigh, and nothing else of the request", nameof(request));
    }

    /// <summary>What sequences that wait for each other may need at once; full blocks of one prompt count once.</summary>
    private void CheckFitTogether(IReadOnlyList<GenerationRequest> sequences)
    {
        var blocks = 0L;
        foreach (var same in sequences.GroupBy(request => request.PromptTokens, ReferenceEqualityComparer.Instance))
        {
            var shared = 0;
            foreach (var request in same)
            {
                blocks += BlocksFor(request) - shared;
                // Not the block with its last token, which each goes on in.
                shared = request.PromptLogProbs is not null || request.Scoring is not null ? 0
                    : (request.PromptTokens.Count - 1) / Limits.BlockTokens;
            }
        }
        if (sequences.Count <= _maxRunning && blocks <= Limits.BlockCount) return;
        throw new AdmissionException(AdmissionReason.NeverFits,
            $"{sequences.Count} sequences that wait for each other need {blocks} cache blocks; {_maxRunning} sequences may run at once, "
            + $"and the cache has {Limits.BlockCount} blocks.");
    }

    /// <summary>Blocks that a sequence may need.</summary>
    private long BlocksFor(GenerationRequest request) => request.PromptOfModel.Values.Prepend(request.PromptTokens)
        .Sum(prompt => (prompt.Count + (long)request.MaxTokens + Limits.BlockTokens - 1) / Limits.BlockTokens);

    private void TakeInbox()
    {
        TakeSubmitted();
        while (_signalled.TryDequeue(out var group))
        {
            // It may have been submitted since.
            TakeSubmitted();
            _scheduler.Apply(group);
        }
    }

    private void TakeSubmitted()
    {
        while (_submitted.TryDequeue(out var group))
            foreach (var unit in group.Branches.Select(branch => branch.Unit).Distinct()) _scheduler.Enqueue(unit);
    }

    private void Signal(SequenceGroup group)
    {
        _signalled.Enqueue(group);
        _wake.Set();
    }

    private void Beat() => Interlocked.Exchange(ref _heartbeatTimestamp, _time.GetTimestamp());

    private static readonly TimeSpan IdleBeat = TimeSpan.FromSeconds(1);
}
