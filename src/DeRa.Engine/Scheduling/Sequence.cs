using System.Threading.Channels;
using DeRa.Engine.Requests;

namespace DeRa.Engine.Scheduling;

/// <summary>
/// One sequence while it waits and runs. All state belongs to the engine's thread, but for the flag that
/// <see cref="Cancel"/> sets, the strengths that <see cref="AskFor"/> asks for and the channel that carries events out.
/// </summary>
internal sealed class Sequence(GenerationRequest request, long submittedTimestamp)
{
    // Unbounded, yet never longer than MaxTokens + 2 and what the reader itself asked for: a reader that stalls costs no more than
    // its own response.
    private readonly Channel<SequenceEvent> _events = Channel.CreateUnbounded<SequenceEvent>(
        new UnboundedChannelOptions { SingleReader = true, SingleWriter = true });

    private readonly List<TokenLogProbs> _promptScores = [];
    private readonly CachedPrefix _cached = new();
    private AlignmentStrengths? _askedStrengths;
    private int _readAgainAtLength = -1;
    private readonly SequenceClock _clock = new(submittedTimestamp);
    private int[] _tokens = [.. request.PromptTokens];
    private volatile bool _cancelled;

    public GenerationRequest Request { get; } = request;

    /// <summary>When it was submitted, began to run, gave tokens and ended. Read by any thread.</summary>
    public SequenceClock Clock => _clock;

    public ChannelReader<SequenceEvent> Events => _events.Reader;

    /// <summary>Tokens so far, prompt then output.</summary>
    public ReadOnlyMemory<int> Tokens => _tokens.AsMemory(0, Length);

    public int Length { get; private set; } = request.PromptTokens.Count;

    public int OutputLength => Length - Request.PromptTokens.Count;

    /// <summary>How many of <see cref="Tokens"/> the caches of all models in use hold.</summary>
    public int CachedLength => _cached.Length;

    /// <summary>Whether all that is left to run is the last generated token.</summary>
    public bool IsDecoding => OutputLength > 0 && Length - CachedLength == 1;

    /// <summary>Whether the prompt's scores are out.</summary>
    public bool IsPromptScored { get; private set; }

    /// <summary>How much each model weighs now.</summary>
    public AlignmentStrengths Strengths { get; private set; } = request.Strengths;

    /// <summary>Tokens this sequence may have at most: what its cache blocks are reserved for.</summary>
    public int MaxLength => Request.PromptTokens.Count + Request.MaxTokens;

    /// <summary>Cache blocks held; empty until admitted and after the end.</summary>
    public int[] Blocks { get; set; } = [];

    public bool IsCancelled => _cancelled;

    /// <summary>Asks for the end; the engine's thread ends it. May be called from any thread, any number of times.</summary>
    public void Cancel() => _cancelled = true;

    /// <summary>
    /// Asks for other strengths, for the next token that is not decided yet; of several requests the last counts. Any thread.
    /// </summary>
    public void AskFor(AlignmentStrengths strengths) => Volatile.Write(ref _askedStrengths, strengths);

    /// <summary>
    /// Applies strengths that were asked for, and reports it. A change for which a model must read text that it lacks waits until a
    /// token is decided since the last such change: a stream of changes would else keep the models reading and decide no token.
    /// </summary>
    public void ApplyStrengths()
    {
        if (Interlocked.Exchange(ref _askedStrengths, null) is not { } asked) return;
        var readsAgain = _cached.LengthAfter(Strengths, asked) < CachedLength;
        if (readsAgain && _readAgainAtLength == Length)
        {
            // Unless another one was asked for meanwhile, which then counts.
            Interlocked.CompareExchange(ref _askedStrengths, asked, null);
            return;
        }
        if (readsAgain) _readAgainAtLength = Length;
        _cached.Change(Strengths, asked);
        Strengths = asked;
        if (_promptScores.Count > CachedLength) _promptScores.RemoveRange(CachedLength, _promptScores.Count - CachedLength);
        _events.Writer.TryWrite(new StrengthsChanged(asked));
    }

    /// <summary>Takes what a step gave back and reports it. Returns the reason where the sequence has ended.</summary>
    public FinishReason? Commit(StepRow row, RowResult result, long now)
    {
        _cached.Add(row.Tokens.Length);
        _promptScores.AddRange(result.ScoredLogProbs);
        var promptDone = CachedLength == Request.PromptTokens.Count;
        if (promptDone && Request.PromptLogProbs is not null && !IsPromptScored)
        {
            IsPromptScored = true;
            _events.Writer.TryWrite(new PromptScored([.. _promptScores]));
        }
        if (row.Sampling is null) return promptDone && Request.MaxTokens == 0 ? FinishReason.Length : null;
        Append(result.Token);
        _clock.Token(now);
        _events.Writer.TryWrite(new TokenGenerated(result.Token, result.LogProbs));
        return Request.StopTokens.Contains(result.Token) ? FinishReason.Stop
            : OutputLength == Request.MaxTokens ? FinishReason.Length : null;
    }

    /// <summary>Ends the event channel: with the last event, or with what went wrong.</summary>
    public void End(FinishReason reason)
    {
        _events.Writer.TryWrite(new SequenceFinished(reason));
        _events.Writer.TryComplete();
    }

    /// <inheritdoc cref="End(FinishReason)"/>
    public void End(Exception failure) => _events.Writer.TryComplete(failure);

    private void Append(int token)
    {
        if (Length == _tokens.Length) Array.Resize(ref _tokens, Math.Min(MaxLength, Length * 2));
        _tokens[Length++] = token;
    }
}
