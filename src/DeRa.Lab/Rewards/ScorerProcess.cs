using System.ComponentModel;
using System.Diagnostics;
using System.Text;
using System.Threading.Channels;

namespace DeRa.Lab.Rewards;

/// <summary>
/// A running external program with line-based input and output. Its output is read continuously, so that full pipes block neither side.
/// </summary>
internal sealed class ScorerProcess : IDisposable
{
    private const int KeptErrorLines = 10;
    private static readonly UTF8Encoding Utf8 = new(encoderShouldEmitUTF8Identifier: false);

    private readonly Process _process;
    private readonly Channel<string> _output = Channel.CreateUnbounded<string>();
    private readonly Queue<string> _errors = new();

    /// <exception cref="RewardException">The program cannot be started.</exception>
    public ScorerProcess(IReadOnlyList<string> words)
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
        _process.OutputDataReceived += (_, line) => Receive(line.Data);
        _process.ErrorDataReceived += (_, line) => ReceiveError(line.Data);
        _process.BeginOutputReadLine();
        _process.BeginErrorReadLine();
    }

    /// <summary>The lines written so far and not yet read; it ends where the program ends its output.</summary>
    public ChannelReader<string> Output => _output.Reader;

    /// <summary>Sends lines. A program that no longer reads is not an error here: it shows in its output.</summary>
    public async Task SendAsync(IEnumerable<string> lines, CancellationToken cancellationToken)
    {
        try
        {
            foreach (var line in lines) await _process.StandardInput.WriteLineAsync(line.AsMemory(), cancellationToken);
            await _process.StandardInput.FlushAsync(cancellationToken);
        }
        catch (IOException)
        {
        }
    }

    /// <summary>How the program ended, once its output has ended, with the last it wrote to its standard error.</summary>
    public async Task<string> DescribeEndAsync(TimeSpan grace)
    {
        try
        {
            await _process.WaitForExitAsync().WaitAsync(grace);
            return $"the command exited with code {_process.ExitCode}{LastErrors()}";
        }
        catch (TimeoutException)
        {
            return $"the command closed its output{LastErrors()}";
        }
    }

    /// <summary>The last lines of standard error, on lines of their own; empty where there are none.</summary>
    public string LastErrors()
    {
        lock (_errors) return _errors.Count == 0 ? "" : "; it wrote last:\n  " + string.Join("\n  ", _errors);
    }

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
        _process.Dispose();
    }

    private void Receive(string? line)
    {
        if (line is null) _output.Writer.TryComplete();
        else _output.Writer.TryWrite(line);
    }

    private void ReceiveError(string? line)
    {
        if (string.IsNullOrWhiteSpace(line)) return;
        lock (_errors)
        {
            _errors.Enqueue(line);
            if (_errors.Count > KeptErrorLines) _errors.Dequeue();
        }
    }
}
