using System.Diagnostics;
using System.Reflection;
using System.Text;
using System.Text.RegularExpressions;

namespace DeRa.Testing;

/// <summary>What a program made of System.CommandLine's commands says under <c>--help</c>.</summary>
public static partial class CommandHelp
{
    /// <summary>
    /// The help of the program, of its commands and of theirs, each below its command line. It runs in processes of its own: help
    /// names the program after the process, and breaks lines at the width of a terminal where there is one.
    /// </summary>
    /// <param name="program">The program's name; its assembly lies beside the tests.</param>
    /// <param name="cancellation">Stops waiting.</param>
    /// <param name="apart">Commands of the program whose help is another program's, approved with that.</param>
    /// <exception cref="InvalidOperationException">A command has no help; what it printed is the message.</exception>
    public static async Task<string> OfEveryCommandAsync(string program, CancellationToken cancellation, params string[] apart)
    {
        var text = new StringBuilder();
        var commands = new Queue<string[]>([[]]);
        while (commands.TryDequeue(out var command))
        {
            string[] line = [.. command, "--help"];
            var help = await RunAsync(program, line, cancellation);
            text.Append("$ ").AppendJoin(' ', [program, .. line]).Append('\n').Append(help).Append("\n\n");
            foreach (var name in Subcommands(help).Except(command.Length == 0 ? apart : [])) commands.Enqueue([.. command, name]);
        }
        return text.ToString();
    }

    private static async Task<string> RunAsync(string program, string[] line, CancellationToken cancellation)
    {
        var tests = Path.Combine(AppContext.BaseDirectory, Assembly.GetEntryAssembly()!.GetName().Name!);
        string[] host = ["exec", "--depsfile", tests + ".deps.json", "--runtimeconfig", tests + ".runtimeconfig.json"];
        var start = new ProcessStartInfo("dotnet", [.. host, Path.Combine(AppContext.BaseDirectory, program + ".dll"), .. line])
        {
            RedirectStandardOutput = true,
        };
        using var process = Process.Start(start)!;
        var output = await process.StandardOutput.ReadToEndAsync(cancellation);
        await process.WaitForExitAsync(cancellation);
        return process.ExitCode == 0 ? output.ReplaceLineEndings("\n").TrimEnd('\n') : throw new InvalidOperationException(output);
    }

    /// <summary>The first word of each line below <c>Commands:</c>, which come last.</summary>
    private static IEnumerable<string> Subcommands(string help) => help.Split("\nCommands:\n") is [_, var list]
        ? CommandName().Matches(list).Select(match => match.Groups[1].Value) : [];

    [GeneratedRegex(@"^  ([a-z][a-z-]*)", RegexOptions.Multiline)]
    private static partial Regex CommandName();
}
