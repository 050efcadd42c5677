using DeRa.Engine.Admission;
using DeRa.Engine.Requests;
using DeRa.Engine.Scheduling;
using DeRa.Engine.Telemetry;
using Microsoft.Extensions.Logging;

namespace DeRa.Engine;

/// <summary>
/// Runs all requests in one continuous batch on one thread of its own. <see cref="Submit"/> takes work from any thread;
/// events come back on each sequence's channel; <see cref="GenerationHandle.Cancel"/> is the one signal that goes in after that.
/// </summary>
public sealed class GenerationEngine : IDisposable
{
    private readonly AdmissionGate gate;
    private readonly Scheduler scheduler;
    private readonly FencedExecutor executor;
    private readonly EngineMetrics metrics;
    private readonly TimeProvider time;
    private readonly ILogger log;
    private readonly Thread thread;
    private readonly System.Collections.Concurrent.ConcurrentQueue<Sequence> inbox = new();
    private readonly SemaphoreSlim wake = new(0);
    private volatile bool stopping;
    private long heartbeatTimestamp;

    /// <summary>Starts the engine's thread.</summary>
    /// <param name="executor">Runs the models. The engine owns it: it is used by the engine's thread alone and disposed there.</param>
    /// <param name="options">How much to do at once.</param>
    /// <param name="time">The clock of the heartbeat and of the metrics.</param>
    /// <param name="log">Faults are logged here.</param>
    /// <exception cref="ArgumentOutOfRangeException">An option is out of range.</exception>
    public GenerationEngine(IStepExecutor executor, EngineOptions options, TimeProvider time, ILogger<GenerationEngine> log)
    {
        options.Validated();
        this.time = time;
        this.log = log;
        this.executor = new FencedExecutor(executor, log);
        Limits = executor.Limits;
        gate = new AdmissionGate(options.MaxQueuedSequences, options.MaxQueuedTokens);
        scheduler = new Scheduler(Limits, options.MaxBatchTokens, options.MaxRunningSequences)
        {
            LeftQueue = sequence =>
            {
                gate.Leave(sequence.Request.PromptTokens.Count);
                metrics!.QueueTime(time.GetElapsedTime(sequence.SubmittedTimestamp));
            },
            Ended = (sequence, reason) => metrics!.Ended(sequence, reason),
        };
        metrics = new EngineMetrics(() => Status);
        heartbeatTimestamp = time.GetTimestamp();
        thread = new Thread(Run) { Name = "DeRa engine", IsBackground = true };
        thread.Start();
    }

    /// <summary>What the loaded models and their cache can take.</summary>
    public ExecutorLimits Limits { get; }

    /// <summary>A snapshot of the load; any thread.</summary>
    public EngineStatus Status => new(
        scheduler.RunningCount, gate.QueuedSequences, scheduler.Blocks.InUse, scheduler.Blocks.Count,
        time.GetElapsedTime(Interlocked.Read(ref heartbeatTimestamp)), thread.IsAlive && !stopping);

    /// <summary>Takes a request, all of its sequences or none; any thread.</summary>
    /// <param name="sequences">At least one; the handles come back in this order.</param>
    /// <exception cref="AdmissionException">The queue is full, or the engine is draining or stopped.</exception>
    public IReadOnlyList<GenerationHandle> Submit(IReadOnlyList<GenerationRequest> sequences)
    {
        var now = time.GetTimestamp();
        var admitted = sequences.Select(request => new Sequence(request, now)).ToArray();
        gate.Enter(admitted.Length, admitted.Sum(s => (long)s.Request.PromptTokens.Count), () =>
        {
            foreach (var sequence in admitted) inbox.Enqueue(sequence);
        });
        wake.Release();
        return Array.ConvertAll(admitted, sequence => new GenerationHandle(sequence, wake));
    }

    /// <summary>Refuses new work from now on; what waits and runs goes on.</summary>
    public void Drain() => gate.Close(AdmissionReason.Draining, "The server is shutting down.");

    /// <summary>Stops the engine: ends what still waits or runs with a failure, frees the models, joins the thread.</summary>
    public void Dispose()
    {
        gate.Close(AdmissionReason.Stopped, "The engine has stopped.");
        stopping = true;
        wake.Release();
        if (Thread.CurrentThread != thread) thread.Join();
        metrics.Dispose();
    }

    private void Run()
    {
        Exception end = new GenerationFailedException("The engine has stopped.");
        try
        {
            while (WaitForWork()) Step();
        }
        catch (Exception fault)
        {
            EngineLog.Faulted(log, fault);
            end = new GenerationFailedException("The engine has stopped after a fault.", fault);
        }
        gate.Close(AdmissionReason.Stopped, end.Message);
        TakeInbox();
        scheduler.FailAll(end);
        executor.Dispose();
    }

    private void Step()
    {
        scheduler.Admit();
        scheduler.DropCancelled();
        var plan = scheduler.Plan();
        var result = executor.Execute(plan);
        scheduler.Commit(plan, result);
        metrics.Stepped(plan, result);
    }

    /// <summary>Returns once there is something to do; false once the engine is to stop. Beats the heart meanwhile.</summary>
    private bool WaitForWork()
    {
        TakeInbox();
        Beat();
        while (!stopping && !scheduler.HasWork)
        {
            wake.Wait(IdleBeat);
            TakeInbox();
            Beat();
        }
        return !stopping;
    }

    private void TakeInbox()
    {
        while (inbox.TryDequeue(out var sequence)) scheduler.Enqueue(sequence);
    }

    private void Beat() => Interlocked.Exchange(ref heartbeatTimestamp, time.GetTimestamp());

    private static readonly TimeSpan IdleBeat = TimeSpan.FromSeconds(1);
}
