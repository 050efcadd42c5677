using System.Diagnostics;
using System.Text;
using System.Text.RegularExpressions;

namespace DeRa.Testing;

/// <summary>Commands in the docs, which print what the docs say: a block of code is run, and the next block is what it prints.</summary>
/// <remarks>Blocks that name a language, such as <c>```json</c>, are neither: what they show may vary.</remarks>
public static partial class DocCommands
{
    /// <summary>Why a test that runs commands is skipped.</summary>
    public const string Missing = "curl or bash is missing";

    /// <summary>Whether commands can be run here.</summary>
    public static bool CanRun { get; } = File.Exists("/usr/bin/curl") && File.Exists("/bin/bash");

    /// <summary>Runs commands of a file, one after the other in one folder.</summary>
    /// <param name="path">The file, relative to the checkout's root.</param>
    /// <param name="which">What the blocks that are run contain.</param>
    /// <param name="prepare">Makes of a block what is run here, with ports and paths of the test.</param>
    /// <param name="cancellation">Ends a command.</param>
    /// <returns>
    /// How many were run, and what a failed test should print, as <see cref="ApprovedText.Difference(string, string)"/> has it.
    /// </returns>
    public static async Task<(int Count, string? Difference)> RunAsync(
        string path, string which, Func<string, string> prepare, CancellationToken cancellation)
    {
        using var folder = new TemporaryFolder();
        var text = await File.ReadAllTextAsync(Path.Combine(SharedData.ProjectRoot, path), cancellation);
        var (now, done, count) = (new StringBuilder(), 0, 0);
        foreach (Match match in CommandAndOutput().Matches(text))
        {
            var (command, output) = (match.Groups["command"].Value, match.Groups["output"]);
            if (!command.Contains(which, StringComparison.Ordinal)) continue;
            now.Append(text, done, output.Index - done)
                .Append(await RunAsync(prepare(command), folder.Path, cancellation));
            (done, count) = (output.Index + output.Length, count + 1);
        }
        return (count, ApprovedText.Difference(path, now.Append(text, done, text.Length - done).ToString()));
    }

    private static async Task<string> RunAsync(string commands, string folder, CancellationToken cancellation)
    {
        using var shell = Process.Start(new ProcessStartInfo("/bin/bash", ["-c", commands])
        {
            WorkingDirectory = folder,
            RedirectStandardOutput = true,
            StandardOutputEncoding = Encoding.UTF8,
        })!;
        return await shell.StandardOutput.ReadToEndAsync(cancellation);
    }

    // A block begins where the one before it has ended: all blocks are matched, or the end of one would pass for the beginning of the next.
    [GeneratedRegex(
        @"^```\n(?<command>(?:(?!```).*\n)*)```\n\n```\n(?<output>(?:(?!```).*\n)*)```$|^```.*\n(?:(?!```).*\n)*```$",
        RegexOptions.Multiline)]
    private static partial Regex CommandAndOutput();
}
