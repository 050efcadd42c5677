using System.Runtime.CompilerServices;
using System.Threading.Channels;
using DeRa.Engine;
using DeRa.Engine.Admission;
using DeRa.Engine.Requests;
using DeRa.Serving.Requests;
using DeRa.Text;

namespace DeRa.Serving.Streaming;

/// <summary>A request that runs: its choices come out as they grow, mixed, each in order. Disposing it cancels what still runs.</summary>
public sealed class Generation : IDisposable
{
    private readonly ITokenizer _tokenizer;
    private readonly IReadOnlyList<GenerationHandle> _handles;
    private readonly TimeProvider _time;
    private readonly CancellationTokenSource? _deadline;
    // Kept, since a disposed source gives none.
    private readonly CancellationToken _expiry;
    private readonly TaskCompletionSource _over = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private int _completionTokens;
    private bool _isRead;

    private Generation(GenerationEngine engine, PreparedRequest request, ITokenizer tokenizer, TimeSpan elapsed)
    {
        (Request, _tokenizer, _time) = (request, tokenizer, engine.Time);
        SubmittedAt = _time.GetUtcNow();
        // Time that passes while the engine takes it counts.
        if (request.Deadline is { } deadline)
        {
            _deadline = new CancellationTokenSource(deadline > elapsed ? deadline - elapsed : TimeSpan.Zero, _time);
            _expiry = _deadline.Token;
        }
        try
        {
            _handles = engine.Submit([.. request.Choices.Select(choice => choice.Request)]);
        }
        catch (AdmissionException refused) when (refused.Reason == AdmissionReason.NeverFits)
        {
            _deadline?.Dispose();
            throw new InvalidRequestException(
                request.StrengthCount > 1 ? RealignmentFields.Sweep.Name
                    : request.Choices.Any(choice => choice.Request.ChoiceIndex > 0) ? "n" : "prompt", refused.Message);
        }
        catch
        {
            _deadline?.Dispose();
            throw;
        }
    }

    /// <summary>What runs.</summary>
    public PreparedRequest Request { get; }

    /// <summary>Tokens generated so far in all choices; final once <see cref="ReadAsync"/> has ended.</summary>
    public int CompletionTokens => _completionTokens;

    /// <summary>
    /// Tokens of the prompts that no model had to run for it, each prompt counted once, by the first choice of each strength; 0 for a
    /// prompt that is not read yet. Any thread.
    /// </summary>
    public int CachedTokens
    {
        get
        {
            var cached = 0;
            for (var first = 0; first < _handles.Count; first += Request.Candidates * Request.StrengthCount)
            {
                // Models differ from strength to strength; what the first choice has read is there for those after it.
                var least = _handles[first].CachedTokens;
                for (var strength = 1; strength < Request.StrengthCount; strength++)
                    least = Math.Min(least, _handles[first + strength * Request.Candidates].CachedTokens);
                cached += least;
            }
            return cached;
        }
    }

    /// <summary>When the engine took it.</summary>
    public DateTimeOffset SubmittedAt { get; }

    /// <summary>How long each phase took up to now. Any thread, after the end too.</summary>
    public GenerationTimes Times => GenerationTimes.Of(_handles, _time);

    /// <summary>Shown each piece before it comes out; set before reading.</summary>
    public Action<ChoiceDelta>? Observer { get; set; }

    /// <summary>Submits a request.</summary>
    /// <exception cref="AdmissionException">The engine did not take it.</exception>
    /// <exception cref="InvalidRequestException">The engine's queue could never take it.</exception>
    /// <param name="engine">The engine.</param>
    /// <param name="request">What to run.</param>
    /// <param name="tokenizer">Makes text of its tokens.</param>
    /// <param name="elapsed">What has passed of the request's time already, while it was read.</param>
    public static Generation Start(GenerationEngine engine, PreparedRequest request, ITokenizer tokenizer, TimeSpan elapsed = default) =>
        new(engine, request, tokenizer, elapsed);

    /// <summary>
    /// Reads all choices to their ends. Leaving early, by cancelling or by not reading on, cancels whatever still runs.
    /// </summary>
    /// <param name="cancellation">The client went away, or its deadline passed.</param>
    /// <exception cref="GenerationFailedException">A sequence failed; the others of the request are cancelled.</exception>
    /// <exception cref="DeadlineExceededException">The request's deadline passed.</exception>
    public async IAsyncEnumerable<ChoiceDelta> ReadAsync([EnumeratorCancellation] CancellationToken cancellation = default)
    {
        _isRead = true;
        using var expiry = _deadline?.Token.Register(CancelAll);
        try
        {
            var deltas = _handles.Count == 1 ? ReadChoiceAsync(Request.Choices[0], _handles[0], cancellation) : MixAsync(cancellation);
            await foreach (var delta in deltas)
            {
                Observer?.Invoke(delta);
                yield return delta;
            }
        }
        finally
        {
            Dispose();
        }
    }

    /// <summary>Asks for other strengths for the tokens that follow, in every choice. Any thread.</summary>
    /// <param name="strengths">What <see cref="RequestValidator.PrepareStrengths"/> gave.</param>
    public void ChangeStrengths(AlignmentStrengths strengths)
    {
        foreach (var handle in _handles) handle.ChangeStrengths(strengths);
    }

    /// <summary>The same for one choice or all, with where it takes effect. Any thread.</summary>
    /// <param name="strengths">What <see cref="RequestValidator.PrepareStrengths"/> gave.</param>
    /// <param name="choice">The index of the choice; null = all.</param>
    /// <returns>Of each choice asked for, in order, the index of its first token at them; null where it had ended.</returns>
    public async Task<IReadOnlyList<(int Choice, int? FromToken)>> ChangeStrengthsAsync(AlignmentStrengths strengths, int? choice)
    {
        var chosen = choice is { } one ? Enumerable.Repeat(one, 1) : Enumerable.Range(0, _handles.Count);
        var asked = chosen.Select(index => (Choice: index, Applied: _handles[index].ChangeStrengths(strengths))).ToArray();
        await Task.WhenAny(Task.WhenAll(asked.Select(change => change.Applied)), _over.Task);
        return [.. asked.Select(change => (change.Choice, change.Applied.IsCompletedSuccessfully ? change.Applied.Result : null))];
    }

    /// <summary>Ends one choice soon, as <see cref="Stop()"/> does all. Any thread.</summary>
    /// <param name="choice">Its index.</param>
    public void Stop(int choice) => _handles[choice].Cancel();

    /// <summary>Ends every choice soon, as stopped by its client; what it has made so far still comes out.</summary>
    public void Stop() => Dispose();

    /// <summary>Cancels every choice that still runs; its cache blocks are freed soon.</summary>
    public void Dispose()
    {
        CancelAll();
        if (!_isRead)
            foreach (var handle in _handles) handle.CountFinish(FinishReason.Cancelled);
        _deadline?.Dispose();
        _over.TrySetResult();
    }

    private void CancelAll()
    {
        foreach (var handle in _handles) handle.Cancel();
    }

    /// <summary>The pieces of several choices, as they come.</summary>
    private async IAsyncEnumerable<ChoiceDelta> MixAsync([EnumeratorCancellation] CancellationToken cancellation)
    {
        var deltas = Channel.CreateBounded<ChoiceDelta>(new BoundedChannelOptions(64) { SingleReader = true });
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        var pumps = Request.Choices.Zip(_handles, (choice, handle) => PumpAsync(choice, handle, deltas.Writer, stop.Token)).ToArray();
        var all = CloseAfterAsync(pumps, deltas.Writer);
        try
        {
            await foreach (var delta in deltas.Reader.ReadAllAsync(cancellation)) yield return delta;
        }
        finally
        {
            await stop.CancelAsync();
            await all;
        }
    }

    private async Task PumpAsync(
        PreparedChoice choice, GenerationHandle handle, ChannelWriter<ChoiceDelta> deltas, CancellationToken cancellation)
    {
        await foreach (var delta in ReadChoiceAsync(choice, handle, cancellation)) await deltas.WriteAsync(delta, cancellation);
    }

    private static async Task CloseAfterAsync(Task[] pumps, ChannelWriter<ChoiceDelta> deltas)
    {
        try
        {
            await foreach (var pump in Task.WhenEach(pumps)) await pump;
            deltas.TryComplete();
        }
        catch (Exception fault)
        {
            // The first failure ends the reading; what it leaves behind is cancelled by the reader.
            deltas.TryComplete(fault);
        }
        await Task.WhenAll(pumps).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    /// <summary>The pieces of one choice. Its finish is counted once: when the last piece is made, else when the reading ends.</summary>
    private async IAsyncEnumerable<ChoiceDelta> ReadChoiceAsync(
        PreparedChoice choice, GenerationHandle handle, [EnumeratorCancellation] CancellationToken cancellation)
    {
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellation, _expiry);
        var text = new ChoiceText(choice, _tokenizer);
        try
        {
            if (choice is { Echo: true, Request.PromptLogProbs: null }) yield return text.Echo(null);
            while (await WaitAsync(handle, cancellation, either.Token))
                while (handle.Events.TryRead(out var happened))
                {
                    // At each event: where the engine is ahead of the reader, there may be no wait for a long time.
                    cancellation.ThrowIfCancellationRequested();
                    if (happened is SequenceFinished { Reason: FinishReason.Cancelled }) ThrowIfExpired();
                    var delta = Take(happened, choice, text);
                    if (text.StopString is not null)
                    {
                        handle.Cancel(FinishReason.Stop);
                        delta = Merge(delta, text.Finish(FinishReason.Stop));
                    }
                    if (delta.FinishReason is { } reason) handle.CountFinish(reason);
                    if (HasContent(delta)) yield return delta;
                    // Not another wait: the deadline may pass meanwhile, which is none of a finished choice's business.
                    if (delta.FinishReason is not null) yield break;
                }
        }
        finally
        {
            handle.CountFinish(FinishReason.Cancelled);
        }
    }

    /// <summary>Waits for the next event of a choice.</summary>
    /// <param name="handle">The choice.</param>
    /// <param name="cancellation">The client's.</param>
    /// <param name="either">Cancelled by the client or by the deadline.</param>
    private async ValueTask<bool> WaitAsync(GenerationHandle handle, CancellationToken cancellation, CancellationToken either)
    {
        try
        {
            return await handle.Events.WaitToReadAsync(either);
        }
        catch (OperationCanceledException)
        {
            cancellation.ThrowIfCancellationRequested();
            ThrowIfExpired();
            throw;
        }
        catch (GenerationFailedException)
        {
            handle.CountFinish(null);
            throw;
        }
    }

    private void ThrowIfExpired()
    {
        if (_expiry.IsCancellationRequested) throw new DeadlineExceededException(Request.Deadline!.Value);
    }

    private static bool HasContent(ChoiceDelta piece) =>
        piece.Text.Length > 0 || piece.Tokens.Count > 0 || piece.FinishReason is not null || piece.Strengths is not null
        || piece.PromptScores is not null;

    private ChoiceDelta Take(SequenceEvent happened, PreparedChoice choice, ChoiceText text)
    {
        switch (happened)
        {
            case PromptScored scored:
                var echo = choice.Echo ? text.Echo(scored.LogProbs) : new ChoiceDelta(choice.Index, "", []);
                return echo with { PromptScores = scored.LogProbs };
            case TokenGenerated generated:
                Interlocked.Increment(ref _completionTokens);
                return text.Append(generated);
            case StrengthsChanged changed:
                return text.ChangeStrengths(changed.Strengths);
            case SequenceFinished finished:
                return text.Finish(finished.Reason);
            default:
                throw new ArgumentException("unknown event", nameof(happened));
        }
    }

    private static ChoiceDelta Merge(ChoiceDelta first, ChoiceDelta last) =>
        last with { Text = first.Text + last.Text, Tokens = [.. first.Tokens, .. last.Tokens] };
}
