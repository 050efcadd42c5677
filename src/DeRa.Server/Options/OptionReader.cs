using System.Collections;
using DeRa.Hosting.Options;
using DeRa.Hosting.Telemetry;
using DeRa.Hub;

namespace DeRa.Server.Options;

/// <summary>Reads and checks the server's options.</summary>
internal static class OptionReader
{
    /// <summary>The options, by name.</summary>
    public static OptionTable<ServerOptions> Table { get; } = new("DERA_", ForeignOptions.Instead);

    /// <summary>The text of <c>--help</c>.</summary>
    public static string Help() => Table.Help("""
        DeRa: serves a reference model and an aligned model, mixed at the strength that each request asks for.

        usage: DeRa.Server [--reference MODEL --aligned MODEL] [options]

        Without a pair of one's own it serves the default pair, which comes with it, under the name stories.

        Each option may also be an environment variable (--http-port is DERA_HTTP_PORT) or a key of the JSON file that
        --config names ("http-port"). The command line goes before the environment, the environment before the file.


        """);

    /// <summary>Reads and checks all options.</summary>
    /// <param name="arguments">The command line.</param>
    /// <param name="environment">Environment variables.</param>
    /// <exception cref="OptionException">The first thing that is wrong.</exception>
    public static ServerOptions Read(IReadOnlyList<string> arguments, IDictionary environment)
    {
        var options = Table.Read(arguments, environment, read => read.Config);
        Check(options);
        return options with
        {
            Telemetry = options.Telemetry with { OpenTelemetry = TelemetryOptions.StandardVariables(environment) },
        };
    }

    private static void Check(ServerOptions options)
    {
        options.Endpoint.Check();
        options.Telemetry.Check();
        CheckPair(options);
        options.Tls.Check();
        options.Origin.Check();
        if (options.Model.ServedName.Length is 0 or > 256)
            throw new OptionException("--name must have 1 to 256 characters.");
        options.Body.Check();
        if (options.Engine.MaxBatchTokens < options.Engine.MaxRunning)
            throw new OptionException(
                $"--max-batch-tokens is {options.Engine.MaxBatchTokens}; it must be at least --max-running, {options.Engine.MaxRunning}.");
    }

    private static void CheckPair(ServerOptions options)
    {
        try
        {
            var pair = options.ToServedPairOptions();
            CheckModel("reference", pair.Models.ReferencePath);
            foreach (var model in pair.Models.Aligned) CheckModel("aligned", model.Path);
        }
        catch (FormatException bad)
        {
            throw new OptionException(bad.Message);
        }
    }

    private static void CheckModel(string option, string model)
    {
        if (HubModels.Problem(model) is { } problem) throw new OptionException($"--{option}: {problem}");
    }
}
