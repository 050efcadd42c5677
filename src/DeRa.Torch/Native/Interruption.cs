using System.Runtime.InteropServices;

namespace DeRa.Torch.Native;

/// <summary>
/// How Ctrl+C and SIGTERM end a program: they cancel it, and if it has not ended soon after, because it is in a computation that
/// cannot be cancelled, the process is terminated. A second signal terminates it at once.
/// </summary>
public sealed partial class Interruption : IDisposable
{
    /// <summary>The exit code of an interrupted program, by the shells' convention: 128 plus the number of SIGINT.</summary>
    public const int ExitCode = 130;

    private const int TerminatedExitCode = 143;

    /// <summary>Short, since the terminal should be back within two seconds, and freeing gigabytes takes some of that.</summary>
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(1);

    private readonly CancellationTokenSource _stop = new();
    private readonly PosixSignalRegistration[] _signals;
    private Timer? _deadline;
    private Func<bool>? _diversion;
    private int _code = ExitCode;

    private Interruption() =>
        _signals = [.. ((PosixSignal[])[PosixSignal.SIGINT, PosixSignal.SIGTERM])
            .Select(signal => PosixSignalRegistration.Create(signal, Stop))];

    /// <summary>Runs a program.</summary>
    /// <param name="program">Takes a token that cancels it; returns its exit code, <see cref="ExitCode"/> if it was cancelled.</param>
    /// <returns>The exit code; SIGTERM has its own.</returns>
    public static Task<int> RunAsync(Func<CancellationToken, Task<int>> program) => RunAsync((_, stop) => program(stop));

    /// <inheritdoc cref="RunAsync(Func{CancellationToken, Task{int}})"/>
    public static async Task<int> RunAsync(Func<Interruption, CancellationToken, Task<int>> program)
    {
        using var interruption = new Interruption();
        var code = await program(interruption, interruption._stop.Token);
        return code == ExitCode ? interruption._code : code;
    }

    /// <summary>Asks first, each time that Ctrl+C is pressed, whether something smaller than the program is to end.</summary>
    /// <param name="endsSmaller">Ends it and returns true; false = there is nothing, so that the program ends. Any thread.</param>
    /// <returns>Until it is disposed.</returns>
    public IDisposable Divert(Func<bool> endsSmaller)
    {
        Volatile.Write(ref _diversion, endsSmaller);
        return new Diversion(this);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var signal in _signals) signal.Dispose();
        _deadline?.Dispose();
        _stop.Dispose();
    }

    private void Stop(PosixSignalContext context)
    {
        context.Cancel = true;
        if (context.Signal == PosixSignal.SIGINT && Volatile.Read(ref _diversion)?.Invoke() == true) return;
        if (context.Signal == PosixSignal.SIGTERM) _code = TerminatedExitCode;
        if (_stop.IsCancellationRequested) End();
        _deadline = new Timer(_ => End(), null, s_patience, Timeout.InfiniteTimeSpan);
        _stop.Cancel();
    }

    /// <summary>Without an orderly exit, which would unload native libraries while other threads compute in them.</summary>
    private void End()
    {
        if (OperatingSystem.IsWindows()) Environment.Exit(_code);
        else ExitNow(_code);
    }

    [LibraryImport("libc", EntryPoint = "_exit")]
    private static partial void ExitNow(int code);

    private sealed class Diversion(Interruption interruption) : IDisposable
    {
        public void Dispose() => Volatile.Write(ref interruption._diversion, null);
    }
}
