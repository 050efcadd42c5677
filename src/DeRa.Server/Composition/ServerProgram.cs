using System.Collections;
using DeRa.Hosting.Programs;
using DeRa.Hosting.Telemetry;
using DeRa.Server.Options;
using DeRa.Server.State;

namespace DeRa.Server.Composition;

/// <summary>Runs the server as a program: options in, exit code out.</summary>
internal static class ServerProgram
{
    /// <summary>A background service has failed.</summary>
    public const int ServiceFailed = 3;

    /// <summary>Runs until the process is asked to stop.</summary>
    /// <param name="arguments">The command line.</param>
    /// <param name="environment">Environment variables.</param>
    /// <param name="source">Gives the loader for checked options.</param>
    /// <param name="output">For <c>--help</c> and <c>--version</c>.</param>
    /// <param name="errors">For what keeps the server from starting, a line each.</param>
    /// <returns>The process's exit code: one of <see cref="HostedProgram"/>'s, or <see cref="ServiceFailed"/>.</returns>
    public static Task<int> RunAsync(IReadOnlyList<string> arguments, IDictionary environment,
        Func<ServerOptions, ILoggerFactory, PairSource> source, TextWriter output, TextWriter errors) =>
        new HostedProgram("server", OptionReader.Help, output, errors).RunAsync(
            arguments, ServerVersion.Text, () => ServeAsync(OptionReader.Read(arguments, environment), source, errors));

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
        if (app.Services.GetRequiredService<ServingState>().Failure is not { } failure) return HostedProgram.Success;
        await errors.WriteLineAsync($"The models could not be loaded: {failure}");
        return HostedProgram.StartFailed;
    }

    /// <summary>The host stops where a background service dies, but counts that as a stop like any other.</summary>
    private static Exception? FailedService(WebApplication app) => app.Services.GetServices<IHostedService>()
        .OfType<BackgroundService>().Select(service => service.ExecuteTask?.Exception?.GetBaseException())
        .FirstOrDefault(fault => fault is not null);
}
