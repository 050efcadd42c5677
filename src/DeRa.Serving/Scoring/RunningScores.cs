using DeRa.Engine;
using DeRa.Engine.Admission;
using DeRa.Engine.Requests;
using DeRa.Serving.Streaming;

namespace DeRa.Serving.Scoring;

/// <summary>A request to score that runs. Disposing it cancels what still runs.</summary>
public sealed class RunningScores : IDisposable
{
    private readonly List<GenerationHandle> _handles = [];
    private readonly TimeProvider _time;
    private readonly CancellationTokenSource? _deadline;
    private int _read;

    /// <summary>Submits its items.</summary>
    /// <param name="engine">The engine.</param>
    /// <param name="prepared">What to run.</param>
    /// <param name="elapsed">What has passed of the request's time already, while it was read.</param>
    /// <exception cref="AdmissionException">The engine did not take it.</exception>
    internal RunningScores(GenerationEngine engine, PreparedScores prepared, TimeSpan elapsed)
    {
        (Prepared, _time, SubmittedAt) = (prepared, engine.Time, engine.Time.GetUtcNow());
        // Time that passes while the engine takes it counts.
        if (prepared.Deadline is { } deadline)
            _deadline = new CancellationTokenSource(deadline > elapsed ? deadline - elapsed : TimeSpan.Zero, _time);
        try
        {
            foreach (var item in prepared.Items) _handles.AddRange(engine.Submit([item]));
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    /// <summary>What runs.</summary>
    public PreparedScores Prepared { get; }

    /// <summary>When the engine took it.</summary>
    public DateTimeOffset SubmittedAt { get; }

    /// <summary>Tokens of the items that no model had to run for it; 0 of an item that is not read yet. Any thread.</summary>
    public int CachedTokens => _handles.Sum(handle => handle.CachedTokens);

    /// <summary>How long each phase took up to now; nothing is decoded. Any thread, after the end too.</summary>
    public GenerationTimes Times => GenerationTimes.Of(_handles, _time);

    /// <summary>Waits for all scores; once.</summary>
    /// <param name="cancellation">The client went away.</param>
    /// <returns>One an item, in their order.</returns>
    /// <exception cref="GenerationFailedException">An item failed; the others are cancelled.</exception>
    /// <exception cref="DeadlineExceededException">The request's deadline passed.</exception>
    public async Task<IReadOnlyList<ItemScores>> ReadAsync(CancellationToken cancellation)
    {
        var expiry = _deadline?.Token ?? CancellationToken.None;
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellation, expiry);
        var scores = new List<ItemScores>();
        try
        {
            for (; _read < _handles.Count; _read++) scores.Add(await ReadAsync(_handles[_read], either.Token));
            return scores;
        }
        catch (OperationCanceledException) when (expiry.IsCancellationRequested && !cancellation.IsCancellationRequested)
        {
            throw new DeadlineExceededException(Prepared.Deadline!.Value);
        }
        finally
        {
            Dispose();
        }
    }

    /// <summary>Cancels every item that still runs; its cache blocks are freed soon.</summary>
    public void Dispose()
    {
        foreach (var left in _handles.Skip(_read))
        {
            left.Cancel();
            left.CountFinish(FinishReason.Cancelled);
        }
        _deadline?.Dispose();
    }

    private static async Task<ItemScores> ReadAsync(GenerationHandle handle, CancellationToken cancellation)
    {
        ItemScores? scores = null;
        try
        {
            await foreach (var happened in handle.Events.ReadAllAsync(cancellation))
                if (happened is StrengthsScored scored) scores = new ItemScores(scored.Tokens);
        }
        catch (GenerationFailedException)
        {
            handle.CountFinish(null);
            throw;
        }
        handle.CountFinish(scores is null ? FinishReason.Cancelled : FinishReason.Length);
        return scores ?? throw new OperationCanceledException("the item was cancelled");
    }
}
