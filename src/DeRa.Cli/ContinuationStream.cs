using System.Diagnostics;
using System.Threading.Channels;
using DeRa.Serving.Streaming;

namespace DeRa.Cli;

/// <summary>A continuation that grows, read as fast as it comes whenever its text is shown.</summary>
internal sealed class ContinuationStream : IDisposable
{
    private readonly Channel<string> _pieces = Channel.CreateUnbounded<string>();
    private readonly Generation _generation;
    private readonly Stopwatch _clock = Stopwatch.StartNew();

    /// <summary>Begins to read.</summary>
    /// <param name="label">What it is called beside others; may be empty.</param>
    /// <param name="generation">What generates; disposed with this.</param>
    /// <param name="cancellation">Stops it.</param>
    public ContinuationStream(string label, Generation generation, CancellationToken cancellation)
    {
        (Label, _generation) = (label, generation);
        _ = PumpAsync(cancellation);
    }

    /// <summary>What it is called beside others; may be empty.</summary>
    public string Label { get; }

    /// <summary>Tokens generated so far; final once <see cref="Pieces"/> has ended.</summary>
    public int Tokens => _generation.CompletionTokens;

    /// <summary>From the request to the last piece so far.</summary>
    public TimeSpan Elapsed => _clock.Elapsed;

    /// <summary>The text, piece by piece; ends with the fault where there was one.</summary>
    public ChannelReader<string> Pieces => _pieces.Reader;

    /// <summary>Cancels it where it still runs.</summary>
    public void Dispose() => _generation.Dispose();

    private async Task PumpAsync(CancellationToken cancellation)
    {
        try
        {
            await foreach (var delta in _generation.ReadAsync(cancellation)) _pieces.Writer.TryWrite(delta.Text);
            _clock.Stop();
            _pieces.Writer.TryComplete();
        }
        catch (Exception fault)
        {
            _pieces.Writer.TryComplete(fault);
        }
    }
}
