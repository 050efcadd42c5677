using System.Threading.Channels;
using DeRa.Engine.Requests;
using DeRa.Engine.Scheduling;

namespace DeRa.Engine;

/// <summary>A submitted sequence, as seen from outside the engine.</summary>
public sealed class GenerationHandle
{
    private readonly Sequence _sequence;
    private readonly AutoResetEvent _wake;

    internal GenerationHandle(Sequence sequence, AutoResetEvent wake) => (_sequence, _wake) = (sequence, wake);

    /// <summary>What was submitted.</summary>
    public GenerationRequest Request => _sequence.Request;

    /// <summary>
    /// Events in order, ending with <see cref="SequenceFinished"/>; a sequence that fails ends with
    /// <see cref="GenerationFailedException"/> instead. One reader.
    /// </summary>
    public ChannelReader<SequenceEvent> Events => _sequence.Events;

    /// <summary>
    /// Asks for other strengths from the next token on; <see cref="StrengthsChanged"/> says when they are in force. Any thread.
    /// </summary>
    /// <param name="strengths">Finite, for the models that the executor has.</param>
    public void ChangeStrengths(AlignmentStrengths strengths) => _sequence.AskFor(strengths);

    /// <summary>When things happened to it.</summary>
    internal SequenceClock Clock => _sequence.Clock;

    /// <summary>Ends the sequence soon and frees its blocks in every cache; no effect once it has ended. Any thread.</summary>
    public void Cancel()
    {
        _sequence.Cancel();
        _wake.Set();
    }
}
