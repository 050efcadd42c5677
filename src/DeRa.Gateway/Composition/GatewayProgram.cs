using System.Collections;
using DeRa.Gateway.Options;
using DeRa.Hosting.Programs;
using DeRa.Hosting.Telemetry;

namespace DeRa.Gateway.Composition;

/// <summary>Runs the gateway as a program: options in, exit code out.</summary>
public static class GatewayProgram
{
    /// <summary>Runs until the process is asked to stop.</summary>
    /// <param name="arguments">The command line.</param>
    /// <param name="environment">Environment variables.</param>
    /// <param name="output">For <c>--help</c> and <c>--version</c>.</param>
    /// <param name="errors">For what keeps the gateway from starting, a line each.</param>
    /// <param name="cancellation">Stops it, as a signal does.</param>
    /// <returns>The process's exit code, one of <see cref="HostedProgram"/>'s.</returns>
    public static Task<int> RunAsync(IReadOnlyList<string> arguments, IDictionary environment,
        TextWriter output, TextWriter errors, CancellationToken cancellation = default) =>
        new HostedProgram("gateway", OptionReader.Help, output, errors).RunAsync(
            arguments, HostedProgram.VersionOf(typeof(GatewayProgram)),
            () => ServeAsync(OptionReader.Read(arguments, environment), cancellation));

    private static async Task<int> ServeAsync(GatewayOptions options, CancellationToken cancellation)
    {
        await using var app = GatewayApplication.Build(
            options, TimeProvider.System, logging => logging.AddConsoleLog(options.Telemetry));
        await app.StartAsync(cancellation);
        await app.WaitForShutdownAsync(cancellation);
        return HostedProgram.Success;
    }
}
