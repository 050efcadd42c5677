using System.Diagnostics;

namespace DeRa.Testing;

/// <summary>Asks MSBuild.</summary>
public static class MSBuild
{
    /// <summary>Runs it in a process of its own.</summary>
    /// <param name="arguments">Its command line.</param>
    /// <param name="cancellation">Stops waiting.</param>
    /// <returns>What it printed.</returns>
    /// <exception cref="InvalidOperationException">It failed; its output is the message.</exception>
    public static async Task<string> RunAsync(string[] arguments, CancellationToken cancellation)
    {
        var start = new ProcessStartInfo("dotnet", ["msbuild", .. arguments, "-nodeReuse:false"]) { RedirectStandardOutput = true };
        using var process = Process.Start(start)!;
        var output = await process.StandardOutput.ReadToEndAsync(cancellation);
        await process.WaitForExitAsync(cancellation);
        return process.ExitCode == 0 ? output : throw new InvalidOperationException(output);
    }
}
