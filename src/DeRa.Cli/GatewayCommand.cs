using System.CommandLine;
using DeRa.Gateway.Composition;
using DeRa.Gateway.Options;

namespace DeRa.Cli;

/// <summary>
/// <c>dera gateway</c>: many replicas behind one address, with the gateway's own options, help and end, which waits for responses that run.
/// The options are declared for completion only; the gateway reads them itself.
/// </summary>
internal static class GatewayCommand
{
    private const string Name = "gateway";

    /// <summary>Whether a command line is the gateway's.</summary>
    public static bool IsMeant(IReadOnlyList<string> arguments) => arguments.Count > 0 && arguments[0] == Name;

    /// <summary>Runs until the process is asked to stop.</summary>
    /// <param name="arguments">The command line, with <c>gateway</c>.</param>
    /// <param name="output">For help and version.</param>
    /// <param name="error">For what keeps the gateway from starting, a line each.</param>
    /// <param name="cancellation">Stops it, as a signal does.</param>
    /// <returns>The gateway's exit code.</returns>
    public static Task<int> RunAsync(
        IReadOnlyList<string> arguments, TextWriter output, TextWriter error, CancellationToken cancellation) =>
        GatewayProgram.RunAsync([.. arguments.Skip(1)], Environment.GetEnvironmentVariables(), output, error, cancellation);

    /// <summary>What other commands' help and completion know of it.</summary>
    public static Command Create()
    {
        var command = new Command(Name, "Put many replicas behind one address: --replicas http://HOST:PORT,http://HOST:PORT.");
        foreach (var option in OptionReader.Table.All) command.Add(new Option<string?>($"--{option.Name}"));
        return command;
    }
}
