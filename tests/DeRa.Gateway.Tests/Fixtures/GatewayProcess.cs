using System.Diagnostics;
using DeRa.Testing.Server;

namespace DeRa.Gateway.Tests.Fixtures;

/// <summary>The gateway as a process of its own, on free ports.</summary>
internal sealed class GatewayProcess : IAsyncDisposable
{
    private readonly Process _process;
    private readonly Task _errors;

    private GatewayProcess(Process process) => (_process, _errors) = (process, process.StandardError.ReadToEndAsync());

    public HttpClient Http { get; } = new() { Timeout = Timeout.InfiniteTimeSpan };

    /// <summary>Starts it and waits until a replica is ready.</summary>
    public static async Task<GatewayProcess> StartAsync(params string[] arguments)
    {
        var program = Path.Combine(AppContext.BaseDirectory, "DeRa.Gateway.dll");
        var process = Process.Start(new ProcessStartInfo("dotnet", [program, "--http-port=0", "--grpc-port=0", .. arguments])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        })!;
        var gateway = new GatewayProcess(process);
        while (await process.StandardOutput.ReadLineAsync(ServerFixture.Stop) is { } line)
        {
            if (line.Contains("HTTP on ", StringComparison.Ordinal))
                gateway.Http.BaseAddress = new Uri(line[line.IndexOf("http://", StringComparison.Ordinal)..].Trim());
            if (line.Contains("is ready", StringComparison.Ordinal)) break;
        }
        return gateway;
    }

    /// <summary>Ends it at once.</summary>
    public void Kill() => _process.Kill();

    public async ValueTask DisposeAsync()
    {
        Http.Dispose();
        if (!_process.HasExited) _process.Kill();
        await _process.WaitForExitAsync();
        await _errors;
        _process.Dispose();
    }
}
