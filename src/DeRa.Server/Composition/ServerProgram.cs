using System.Collections;
using System.Net.Sockets;
using DeRa.Hosting.Options;
using DeRa.Hosting.Telemetry;
using DeRa.Server.Options;
using DeRa.Server.State;

namespace DeRa.Server.Composition;

/// <summary>Runs the server as a program: options in, exit code out.</summary>
internal static class ServerProgram
{
    /// <summary>All went well.</summary>
    public const int Success = 0;

    /// <summary>The models could not be loaded or a port not be opened.</summary>
    public const int StartFailed = 1;

    /// <summary>An option is unknown, missing or out of range.</summary>
    public const int BadOption = 2;

    /// <summary>A background service has failed.</summary>
    public const int ServiceFailed = 3;

    /// <summary>Runs until the process is asked to stop.</summary>
    /// <param name="arguments">The command line.</param>
    /// <param name="environment">Environment variables.</param>
    /// <param name="source">Gives the loader for checked options.</param>
    /// <param name="output">For <c>--help</c> and <c>--version</c>.</param>
    /// <param name="errors">For what keeps the server from starting, a line each.</param>
    /// <returns>The process's exit code.</returns>
    public static async Task<int> RunAsync(IReadOnlyList<string> arguments, IDictionary environment,
        Func<ServerOptions, ILoggerFactory, PairSource> source, TextWriter output, TextWriter errors)
    {
        if (arguments.Any(argument => argument is "--help" or "-h"))
        {
            await output.WriteAsync(OptionReader.Help());
            return Success;
        }
        if (arguments.Contains("--version"))
        {
            await output.WriteLineAsync(ServerVersion.Text);
            return Success;
        }
        try
        {
            return await ServeAsync(OptionReader.Read(arguments, environment), source, errors);
        }
        catch (OptionException bad)
        {
            await errors.WriteLineAsync(bad.Message);
            return BadOption;
        }
        catch (Exception fault) when (fault is IOException or SocketException)
        {
            await errors.WriteLineAsync($"The server cannot listen: {fault.Message}");
            return StartFailed;
        }
        catch (Exception fault)
        {
            await errors.WriteLineAsync($"The server has failed: {fault.GetType().Name}: {fault.Message.ReplaceLineEndings(" ")}");
            return StartFailed;
        }
    }

    private static async Task<int> ServeAsync(
        ServerOptions options, Func<ServerOptions, ILoggerFactory, PairSource> source, TextWriter errors)
    {
        await using var app = ServerApplication.Build(
            options, loggers => source(options, loggers), TimeProvider.System, logging => logging.AddConsoleLog(options.Telemetry));
        return await RunAsync(app, errors);
    }

    /// <summary>Runs a server until it is asked to stop or a part of it fails.</summary>
    internal static async Task<int> RunAsync(WebApplication app, TextWriter errors)
    {
        try
        {
            await app.StartAsync();
            await app.WaitForShutdownAsync();
        }
        catch (OperationCanceledException) when (FailedService(app) is not null)
        {
            // It failed before all the others had started.
        }
        if (FailedService(app) is { } fault)
        {
            ServerLog.ServiceFailed(app.Logger, fault);
            return ServiceFailed;
        }
        if (app.Services.GetRequiredService<ServingState>().Failure is not { } failure) return Success;
        await errors.WriteLineAsync($"The models could not be loaded: {failure}");
        return StartFailed;
    }

    /// <summary>The host stops where a background service dies, but counts that as a stop like any other.</summary>
    private static Exception? FailedService(WebApplication app) => app.Services.GetServices<IHostedService>()
        .OfType<BackgroundService>().Select(service => service.ExecuteTask?.Exception?.GetBaseException())
        .FirstOrDefault(fault => fault is not null);
}
