using System.Collections;
using System.Net;
using DeRa.Hosting.Options;
using DeRa.Hosting.Security;
using DeRa.Hosting.Telemetry;
using DeRa.Hub;

namespace DeRa.Server.Options;

/// <summary>Reads the options from all three sources: the command line goes before the environment, that before the file.</summary>
internal static class OptionReader
{
    /// <summary>Reads and checks all options.</summary>
    /// <param name="arguments">The command line.</param>
    /// <param name="environment">Environment variables.</param>
    /// <exception cref="OptionException">The first thing that is wrong.</exception>
    public static ServerOptions Read(IReadOnlyList<string> arguments, IDictionary environment)
    {
        var options = Apply(new ServerOptions(),
            [.. OptionSources.Environment(environment), .. OptionSources.CommandLine(arguments)]);
        if (options.Config is { } file)
            options = Apply(new ServerOptions(),
                [.. OptionSources.File(file), .. OptionSources.Environment(environment), .. OptionSources.CommandLine(arguments)]);
        Check(options);
        return options with { OpenTelemetry = OptionSources.OpenTelemetry(environment) };
    }

    /// <summary>The address that <c>--host</c> names.</summary>
    /// <exception cref="OptionException">It names none.</exception>
    public static IPAddress Address(string host) => host == "localhost" ? IPAddress.Loopback
        : IPAddress.TryParse(host, out var address) ? address
        : throw new OptionException($"--host is '{host}'; it must be an IP address such as 127.0.0.1 or 0.0.0.0, or localhost.");

    private static ServerOptions Apply(ServerOptions options, List<GivenOption> given)
    {
        foreach (var values in given.GroupBy(option => option.Entry))
        {
            var parsed = values.Select(value => (value.Origin, Value: values.Key.Parse(value.Text, value.Origin))).ToList();
            // A list's values all come from one source: the one that goes before the others.
            var last = parsed[^1];
            object value = values.Key.IsList
                ? parsed.Where(other => other.Origin == last.Origin).Select(other => (string)other.Value).ToList()
                : last.Value;
            values.Key.Property.SetValue(options, value);
        }
        return options;
    }

    private static void Check(ServerOptions options)
    {
        Address(options.Host);
        if (options.LogFormat is not (ServerOptions.TextLog or ServerOptions.JsonLog))
            throw new OptionException($"--log-format is '{options.LogFormat}'; it must be {ServerOptions.TextLog} or {ServerOptions.JsonLog}.");
        if (LogLevels.Parse(options.LogLevel) is null)
            throw new OptionException($"--log-level is '{options.LogLevel}'; it must be {LogLevels.Allowed}.");
        CheckPair(options);
        LockOptions.Check(options);
        if (options.ServedName.Length is 0 or > 256)
            throw new OptionException("--name must have 1 to 256 characters.");
        if (options.HttpPort == options.GrpcPort && options.HttpPort != 0)
            throw new OptionException($"--http-port and --grpc-port are both {options.HttpPort}; they must differ.");
        if (options.PendingBodyBytes < options.MaxBodyBytes)
            throw new OptionException(
                $"--max-pending-body-bytes is {options.PendingBodyBytes}; it must be at least --max-body-bytes, {options.MaxBodyBytes}.");
        if (options.MaxBatchTokens < options.MaxRunning)
            throw new OptionException(
                $"--max-batch-tokens is {options.MaxBatchTokens}; it must be at least --max-running, {options.MaxRunning}.");
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
