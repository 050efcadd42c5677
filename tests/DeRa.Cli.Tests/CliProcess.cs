using System.Diagnostics;
using System.Globalization;
using System.Text;
using Xunit;

namespace DeRa.Cli.Tests;

/// <summary>The program itself, in a process of its own that can be sent signals.</summary>
internal sealed class CliProcess : IDisposable
{
    private static readonly string[] s_program =
    [
        "exec", "--depsfile", BesideTests("DeRa.Cli.Tests.deps.json"), "--runtimeconfig", BesideTests("DeRa.Cli.Tests.runtimeconfig.json"),
        BesideTests("dera.dll"),
    ];

    private readonly Process _process;

    /// <summary>What a shell runs it by.</summary>
    public static string ShellCommand => $"dotnet {string.Join(' ', s_program.Select(word => $"'{word}'"))}";

    /// <summary>Whether it has ended.</summary>
    public bool HasExited => _process.HasExited;

    public CliProcess(params string[] arguments)
        : this(arguments, environment: [])
    {
    }

    public CliProcess(string[] arguments, params (string Name, string Value)[] environment)
    {
        var start = new ProcessStartInfo("dotnet", [.. s_program, .. arguments])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        foreach (var (name, value) in environment) start.Environment[name] = value;
        _process = Process.Start(start)!;
    }

    /// <summary>Sends a signal, such as INT; the test is skipped where the program was started with that one ignored.</summary>
    public void Signal(string name)
    {
        Assert.SkipWhen(name == "INT" && IgnoresInterrupts(), "SIGINT is ignored here, as in a background job of a shell");
        using var kill = Process.Start("kill", [$"-{name}", _process.Id.ToString(CultureInfo.InvariantCulture)]);
        kill.WaitForExit();
    }

    /// <summary>Types something.</summary>
    public async Task WriteAsync(string text)
    {
        await _process.StandardInput.WriteAsync(text);
        await _process.StandardInput.FlushAsync();
    }

    /// <summary>Ends the input.</summary>
    public void CloseInput() => _process.StandardInput.Close();

    /// <summary>Reads the output until it holds a text.</summary>
    /// <returns>What was read.</returns>
    public async Task<string> ReadAsync(string text)
    {
        var (read, buffer) = (new StringBuilder(), new char[256]);
        while (!read.ToString().Contains(text, StringComparison.Ordinal))
        {
            var count = await _process.StandardOutput.ReadAsync(buffer, TestContext.Current.CancellationToken);
            if (count == 0) throw new EndOfStreamException($"there is no '{text}' in: {read}");
            read.Append(buffer, 0, count);
        }
        return read.ToString();
    }

    /// <summary>How it ended, with what it printed that nobody had read.</summary>
    public async Task<CommandRun> EndAsync()
    {
        var stop = TestContext.Current.CancellationToken;
        var (output, error) = (_process.StandardOutput.ReadToEndAsync(stop), _process.StandardError.ReadToEndAsync(stop));
        await _process.WaitForExitAsync(stop);
        return new CommandRun(_process.ExitCode, await output, await error);
    }

    private bool IgnoresInterrupts()
    {
        const string field = "SigIgn:";
        const ulong interrupt = 1 << 1;
        if (!OperatingSystem.IsLinux()) return false;
        var ignored = File.ReadLines($"/proc/{_process.Id}/status").First(line => line.StartsWith(field, StringComparison.Ordinal));
        return (Convert.ToUInt64(ignored[field.Length..].Trim(), 16) & interrupt) != 0;
    }

    private static string BesideTests(string file) => Path.Combine(AppContext.BaseDirectory, file);

    public void Dispose()
    {
        if (!_process.HasExited) _process.Kill();
        _process.Dispose();
    }
}
