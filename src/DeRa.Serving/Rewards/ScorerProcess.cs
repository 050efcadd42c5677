using System.ComponentModel;
using System.Diagnostics;
using System.Text;
using System.Threading.Channels;

namespace DeRa.Serving.Rewards;

/// <summary>
/// A running external program with line-based input and output. Its output is read continuously, so that full pipes block neither side,
/// and at most so far ahead that a program that writes without end takes no memory.
/// </summary>
internal sealed class ScorerProcess : IDisposable
{
    /// <summary>Characters of a line that are read at most.</summary>
    public const int MaxLineCharacters = 64 * 1024;

    private const int KeptErrorLines = 10, MaxErrorCharacters = 2000, LinesAhead = 4096;
    private static readonly UTF8Encoding Utf8 = new(encoderShouldEmitUTF8Identifier: false);

    private readonly Process _process;
    private readonly Channel<string> _output = Channel.CreateBounded<string>(LinesAhead);
    private readonly Queue<string> _errors = new();
    private readonly TaskCompletionSource _errorsRead = new();
    private readonly CancellationTokenSource _ended = new();

    /// <param name="words">The program and its arguments.</param>
    /// <param name="errorLine">Receives each line of its standard error; null = nobody does.</param>
    /// <exception cref="RewardException">The program cannot be started.</exception>
    public ScorerProcess(IReadOnlyList<string> words, Action<string>? errorLine)
    {
        var start = new ProcessStartInfo(words[0], words.Skip(1))
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            StandardInputEncoding = Utf8,
            StandardOutputEncoding = Utf8,
        };
        try
        {
            _process = Process.Start(start)!;
        }
        catch (Win32Exception exception)
        {
            throw new RewardException($"reward command: cannot start '{words[0]}': {exception.Message}", exception);
        }
        _ = ReadOutputAsync(_ended.Token);
        _ = ReadErrorsAsync(errorLine, _ended.Token);
    }

    /// <summary>The lines written so far and not yet read; it ends where the program ends its output.</summary>
    public ChannelReader<string> Output => _output.Reader;

    /// <summary>Sends lines. A program that no longer reads is not an error here: it shows in its output.</summary>
    public async Task SendAsync(IEnumerable<string> lines, CancellationToken cancellation)
    {
        try
        {
            foreach (var line in lines) await _process.StandardInput.WriteLineAsync(line.AsMemory(), cancellation);
            await _process.StandardInput.FlushAsync(cancellation);
        }
        catch (Exception gone) when (gone is IOException or ObjectDisposedException)
        {
        }
    }

    /// <summary>How the program ended, once its output has ended, with the last it wrote to its standard error.</summary>
    public async Task<string> DescribeEndAsync(TimeSpan grace)
    {
        try
        {
            await Task.WhenAll(_process.WaitForExitAsync(), _errorsRead.Task).WaitAsync(grace);
            return $"the command exited with code {_process.ExitCode}{LastErrors()}";
        }
        catch (TimeoutException)
        {
            return _process.HasExited ? $"the command exited with code {_process.ExitCode}{LastErrors()}"
                : $"the command closed its output{LastErrors()}";
        }
    }

    /// <summary>The last lines of standard error, on lines of their own; empty where there are none.</summary>
    public string LastErrors()
    {
        lock (_errors) return _errors.Count == 0 ? "" : "; it wrote last:\n  " + string.Join("\n  ", _errors);
    }

    /// <summary>Ends the program and those that it started.</summary>
    public void Dispose()
    {
        try
        {
            _process.Kill(entireProcessTree: true);
        }
        catch (InvalidOperationException)
        {
            // It has exited already.
        }
        _ended.Cancel();
        _process.Dispose();
        _ended.Dispose();
    }

    private async Task ReadOutputAsync(CancellationToken ended)
    {
        try
        {
            await foreach (var line in BoundedLines.ReadAsync(_process.StandardOutput, MaxLineCharacters, ended))
                await _output.Writer.WriteAsync(line, ended);
        }
        catch (Exception over) when (over is IOException or ObjectDisposedException or OperationCanceledException)
        {
        }
        finally
        {
            _output.Writer.TryComplete();
        }
    }

    private async Task ReadErrorsAsync(Action<string>? errorLine, CancellationToken ended)
    {
        try
        {
            await foreach (var line in BoundedLines.ReadAsync(_process.StandardError, MaxErrorCharacters, ended))
            {
                if (string.IsNullOrWhiteSpace(line)) continue;
                errorLine?.Invoke(line);
                lock (_errors)
                {
                    _errors.Enqueue(line);
                    if (_errors.Count > KeptErrorLines) _errors.Dequeue();
                }
            }
        }
        catch (Exception over) when (over is IOException or ObjectDisposedException or OperationCanceledException)
        {
        }
        finally
        {
            _errorsRead.TrySetResult();
        }
    }
}
