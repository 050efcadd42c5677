using System.Collections;
using System.Net.Sockets;
using System.Reflection;
using DeRa.Gateway.Options;
using DeRa.Hosting.Options;
using DeRa.Hosting.Telemetry;

namespace DeRa.Gateway.Composition;

/// <summary>Runs the gateway as a program: options in, exit code out.</summary>
public static class GatewayProgram
{
    /// <summary>All went well.</summary>
    public const int Success = 0;

    /// <summary>A port could not be opened.</summary>
    public const int StartFailed = 1;

    /// <summary>An option is unknown, missing or out of range.</summary>
    public const int BadOption = 2;

    /// <summary>Runs until the process is asked to stop.</summary>
    /// <param name="arguments">The command line.</param>
    /// <param name="environment">Environment variables.</param>
    /// <param name="output">For <c>--help</c> and <c>--version</c>.</param>
    /// <param name="errors">For what keeps the gateway from starting, a line each.</param>
    /// <param name="cancellation">Stops it, as a signal does.</param>
    /// <returns>The process's exit code.</returns>
    public static async Task<int> RunAsync(IReadOnlyList<string> arguments, IDictionary environment,
        TextWriter output, TextWriter errors, CancellationToken cancellation = default)
    {
        if (arguments.Any(argument => argument is "--help" or "-h"))
        {
            await output.WriteAsync(OptionReader.Help());
            return Success;
        }
        if (arguments.Contains("--version"))
        {
            await output.WriteLineAsync(typeof(GatewayProgram).Assembly
                .GetCustomAttribute<AssemblyInformationalVersionAttribute>()!.InformationalVersion);
            return Success;
        }
        try
        {
            var options = OptionReader.Read(arguments, environment);
            await using var app = GatewayApplication.Build(
                options, TimeProvider.System, logging => logging.AddConsoleLog(options.Telemetry));
            await app.StartAsync(cancellation);
            await app.WaitForShutdownAsync(cancellation);
            return Success;
        }
        catch (OptionException bad)
        {
            await errors.WriteLineAsync(bad.Message);
            return BadOption;
        }
        catch (Exception fault) when (fault is IOException or SocketException)
        {
            await errors.WriteLineAsync($"The gateway cannot listen: {fault.Message}");
            return StartFailed;
        }
    }
}
