using System.Threading.Channels;
using DeRa.Engine.Requests;

namespace DeRa.Engine.Scheduling;

/// <summary>
/// One sequence while it waits and runs. All state belongs to the engine's thread, but for the mark that
/// <see cref="Cancel"/> sets and the channel that carries events out.
/// </summary>
internal sealed class Sequence(GenerationRequest request, long submittedTimestamp)
{
    // Unbounded, yet never longer than MaxTokens + 2: a reader that stalls costs no more than its own answer.
    private readonly Channel<SequenceEvent> events = Channel.CreateUnbounded<SequenceEvent>(
        new UnboundedChannelOptions { SingleReader = true, SingleWriter = true });

    private readonly List<TokenLogProbs> promptScores = [];
    private int[] tokens = [.. request.PromptTokens];
    private volatile bool cancelled;

    public GenerationRequest Request { get; } = request;

    public long SubmittedTimestamp { get; } = submittedTimestamp;

    public ChannelReader<SequenceEvent> Events => events.Reader;

    /// <summary>Tokens so far, prompt then output.</summary>
    public ReadOnlyMemory<int> Tokens => tokens.AsMemory(0, Length);

    public int Length { get; private set; } = request.PromptTokens.Count;

    public int OutputLength => Length - Request.PromptTokens.Count;

    /// <summary>How many of <see cref="Tokens"/> the models' caches hold.</summary>
    public int CachedLength { get; private set; }

    /// <summary>Tokens this sequence may have at most: what its cache blocks are reserved for.</summary>
    public int MaxLength => Request.PromptTokens.Count + Request.MaxTokens;

    /// <summary>Cache blocks held; empty until admitted and after the end.</summary>
    public int[] Blocks { get; set; } = [];

    public bool IsCancelled => cancelled;

    /// <summary>Marks the sequence; the engine's thread ends it. May be called from any thread, any number of times.</summary>
    public void Cancel() => cancelled = true;

    /// <summary>Takes what a step gave back and reports it. Returns the reason where the sequence has ended.</summary>
    public FinishReason? Commit(StepRow row, RowResult result)
    {
        CachedLength += row.Tokens.Length;
        promptScores.AddRange(result.ScoredLogProbs);
        var promptDone = CachedLength == Request.PromptTokens.Count;
        if (promptDone && Request.PromptLogProbs is not null) events.Writer.TryWrite(new PromptScored(promptScores));
        if (row.Sampling is null) return promptDone && Request.MaxTokens == 0 ? FinishReason.Length : null;
        Append(result.Token);
        events.Writer.TryWrite(new TokenGenerated(result.Token, result.LogProbs));
        return Request.StopTokens.Contains(result.Token) ? FinishReason.Stop
            : OutputLength == Request.MaxTokens ? FinishReason.Length : null;
    }

    /// <summary>Ends the event channel: with the last event, or with what went wrong.</summary>
    public void End(FinishReason reason)
    {
        events.Writer.TryWrite(new SequenceFinished(reason));
        events.Writer.TryComplete();
    }

    /// <inheritdoc cref="End(FinishReason)"/>
    public void End(Exception failure) => events.Writer.TryComplete(failure);

    private void Append(int token)
    {
        if (Length == tokens.Length) Array.Resize(ref tokens, Math.Min(MaxLength, Length * 2));
        tokens[Length++] = token;
    }
}
