using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;

namespace DeRa.Server.Tests;

/// <summary>The server as a process of its own, on the default pair and free ports.</summary>
internal sealed class ServerProcess : IAsyncDisposable
{
    private readonly Process _process;
    private readonly Task _output;
    private readonly TaskCompletionSource<Uri> _http = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource<Uri> _grpc = new(TaskCreationOptions.RunContinuationsAsynchronously);

    private volatile Held? _held;

    private ServerProcess(IEnumerable<string> arguments, int? openFiles = null)
    {
        var program = Path.Combine(AppContext.BaseDirectory, "DeRa.Server.dll");
        string[] limited = openFiles is null ? [] : ["sh", "-c", $"ulimit -n {openFiles} && exec \"$@\"", "sh"];
        string[] command = [.. limited, "dotnet", program, "--http-port=0", "--grpc-port=0", .. arguments];
        _process = Process.Start(new ProcessStartInfo(command[0], command[1..])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        })!;
        _output = ReadAsync();
    }

    /// <summary>What it has printed so far.</summary>
    public ConcurrentQueue<string> Lines { get; } = new();

    /// <summary>Waits as long as it takes: streams wait for each other.</summary>
    public HttpClient Http { get; } = new() { Timeout = Timeout.InfiniteTimeSpan };

    public Uri Grpc => _grpc.Task.Result;

    /// <summary>Starts it and waits until it is ready.</summary>
    public static Task<ServerProcess> StartAsync(params string[] arguments) => StartAsync(new ServerProcess(arguments));

    /// <summary>Starts it so that it may have no more than so many files open, and waits until it is ready.</summary>
    public static Task<ServerProcess> StartLimitedAsync(int openFiles) => StartAsync(new ServerProcess([], openFiles));

    private static async Task<ServerProcess> StartAsync(ServerProcess server)
    {
        server.Http.BaseAddress = await server._http.Task.WaitAsync(ServerFixture.Stop);
        await server._grpc.Task.WaitAsync(ServerFixture.Stop);
        await server.EventuallyAsync(async () => await server.StatusAsync("/readyz") == 200);
        return server;
    }

    public async Task<int> StatusAsync(string path)
    {
        using var response = await Http.GetAsync(path, ServerFixture.Stop);
        return (int)response.StatusCode;
    }

    /// <summary>Reads none of its output, from the next line on, until the result is disposed.</summary>
    public IDisposable HoldOutput()
    {
        var held = new Held();
        _held = held;
        return held;
    }

    /// <summary>Sends SIGTERM.</summary>
    public void Terminate() => Signal("TERM");

    /// <summary>Sends a signal.</summary>
    public void Signal(string name)
    {
        using var kill = Process.Start("kill", [$"-{name}", _process.Id.ToString(CultureInfo.InvariantCulture)]);
        kill.WaitForExit();
    }

    /// <summary>The exit code, once it has ended.</summary>
    public async Task<int> EndedAsync()
    {
        await _process.WaitForExitAsync(ServerFixture.Stop);
        return _process.ExitCode;
    }

    /// <summary>Open sockets, as the kernel counts them.</summary>
    public int Sockets => Directory.EnumerateFiles($"/proc/{_process.Id}/fd")
        .Count(file => new FileInfo(file).LinkTarget?.StartsWith("socket:", StringComparison.Ordinal) == true);

    /// <summary>Threads of that name.</summary>
    public int Threads(string name) => Directory.EnumerateDirectories($"/proc/{_process.Id}/task")
        .Count(thread => File.ReadAllText(Path.Combine(thread, "comm")).Trim() == name);

    /// <summary>Waits, asking again and again, until something is so.</summary>
    public async Task EventuallyAsync(Func<Task<bool>> condition)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(ServerFixture.Stop);
        limit.CancelAfter(TimeSpan.FromSeconds(120));
        while (!await condition())
        {
            limit.Token.ThrowIfCancellationRequested();
            if (_process.HasExited) throw new InvalidOperationException($"the server has ended with {_process.ExitCode}");
        }
    }

    public async ValueTask DisposeAsync()
    {
        Http.Dispose();
        if (!_process.HasExited) _process.Kill();
        await _process.WaitForExitAsync();
        await _output;
        _process.Dispose();
    }

    private async Task ReadAsync()
    {
        while (await _process.StandardOutput.ReadLineAsync() is { } line)
        {
            if (_held is { } held) await held.Released.Task;
            Lines.Enqueue(line);
            if (line.Contains("HTTP on ", StringComparison.Ordinal)) _http.TrySetResult(Address(line));
            if (line.Contains("gRPC on ", StringComparison.Ordinal)) _grpc.TrySetResult(Address(line));
        }
        _http.TrySetException(new InvalidOperationException($"the server has ended: {await _process.StandardError.ReadToEndAsync()}"));
    }

    private sealed class Held : IDisposable
    {
        public TaskCompletionSource Released { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public void Dispose() => Released.TrySetResult();
    }

    private static Uri Address(string line) => new(line[line.IndexOf("http://", StringComparison.Ordinal)..].Split(' ', '"')[0].Trim());
}
