using System.CommandLine;
using DeRa.Server.Composition;
using DeRa.Server.Options;

namespace DeRa.Cli;

/// <summary>
/// <c>dera serve</c>: the server, with its own options, help and end, which waits for responses that run. The options are declared for
/// completion only; the server reads them itself.
/// </summary>
internal static class ServerCommand
{
    private const string Name = "serve";

    /// <summary>Whether a command line is the server's.</summary>
    public static bool IsMeant(IReadOnlyList<string> arguments) => arguments.Count > 0 && arguments[0] == Name;

    /// <summary>Serves until the process is asked to stop.</summary>
    /// <param name="arguments">The command line, with <c>serve</c>.</param>
    /// <param name="output">For help and version.</param>
    /// <param name="error">For what keeps the server from starting, a line each.</param>
    /// <returns>The server's exit code.</returns>
    public static Task<int> RunAsync(IReadOnlyList<string> arguments, TextWriter output, TextWriter error) => ServerProgram.RunAsync(
        [.. arguments.Skip(1)], Environment.GetEnvironmentVariables(), PairStartup.For, output, error);

    /// <summary>What other commands' help and completion know of it.</summary>
    public static Command Create()
    {
        var command = new Command(Name, "Serve a pair of models over HTTP and gRPC; without --reference and --aligned the default pair.");
        foreach (var option in OptionReader.Table.All) command.Add(new Option<string?>($"--{option.Name}"));
        return command;
    }
}
