using System.Threading.Channels;
using DeRa.Engine.Requests;

namespace DeRa.Engine.Branches;

/// <summary>What a branch reports, in order; written by the engine's thread, read by one reader on any.</summary>
internal sealed class BranchEvents
{
    // Unbounded, yet never longer than MaxTokens + 2 and what the reader itself asked for: a reader that stalls costs no more than
    // its own response.
    private readonly Channel<SequenceEvent> _events = Channel.CreateUnbounded<SequenceEvent>(
        new UnboundedChannelOptions { SingleReader = true, SingleWriter = true });

    public ChannelReader<SequenceEvent> Reader => _events.Reader;

    public void Report(SequenceEvent happened) => _events.Writer.TryWrite(happened);

    /// <summary>Ends with the last event.</summary>
    public void End(FinishReason reason)
    {
        _events.Writer.TryWrite(new SequenceFinished(reason));
        _events.Writer.TryComplete();
    }

    /// <summary>Ends with what went wrong.</summary>
    public void End(Exception failure) => _events.Writer.TryComplete(failure);
}
