using System.Diagnostics;
using DeRa.Testing.Server;
using Xunit;

namespace DeRa.Clients.Tests;

/// <summary>
/// Runs scripts on Node with the packages that <c>node/package-lock.json</c> names; they are installed once, below the
/// project's output. Where there is no Node, or nothing to install from, tests are skipped with that reason.
/// </summary>
internal static class NodeScript
{
    private static readonly string Folder = Path.Combine(AppContext.BaseDirectory, "node");
    private static readonly Lazy<Task<string?>> Missing = new(InstallAsync);

    /// <summary>
    /// Runs a scenario of <c>openai.mjs</c> to its end, after which the server must be at rest; fails with what it printed
    /// where it does.
    /// </summary>
    /// <param name="server">The server.</param>
    /// <param name="model">The name that it serves.</param>
    /// <param name="scenario">The scenario.</param>
    /// <param name="said">Called with each line that it prints.</param>
    /// <param name="more">What else the scenario needs.</param>
    public static Task RunOpenAIAsync(
        ServerFixture server, string model, string scenario, Action<string>? said = null, params string[] more) =>
        RunAsync(server, "openai.mjs", said, [scenario, server.Http.BaseAddress!.ToString(), model, .. more]);

    /// <summary>The same for <c>grpc.mjs</c>.</summary>
    public static Task RunGrpcAsync(ServerFixture server, string model, string scenario, Action<string>? said = null) =>
        RunAsync(server, "grpc.mjs", said, scenario, server.Channel.Target, model, Path.Combine(AppContext.BaseDirectory, "protos"));

    private static async Task RunAsync(ServerFixture server, string script, Action<string>? said, params string[] arguments)
    {
        var why = await Missing.Value;
        Assert.SkipWhen(why is not null, why ?? "");
        var (code, output) = await ExecuteAsync("node", [script, .. arguments], said, ServerFixture.Stop);
        Assert.True(code == 0, $"{script} {arguments[0]} ended with {code}:\n{output}");
        await ServerFixture.EventuallyAsync(() => server.Engine.Status is { BlocksInUse: 0, RunningSequences: 0, QueuedSequences: 0 });
    }

    /// <summary>Null where all is there; else why not.</summary>
    private static async Task<string?> InstallAsync()
    {
        try
        {
            var (_, version) = await ExecuteAsync("node", ["--version"], null, CancellationToken.None);
            if (int.Parse(version.TrimStart('v').Split('.')[0], null) < 18) return $"needs Node 18 or later; here is {version.Trim()}";
            if (File.Exists(Path.Combine(Folder, "node_modules", ".package-lock.json"))) return null;
            var (code, output) = await ExecuteAsync(
                "npm", ["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"], null, CancellationToken.None);
            return code == 0 ? null : $"npm could not install the clients: {output}";
        }
        catch (System.ComponentModel.Win32Exception)
        {
            return "needs Node and npm, which are not there";
        }
    }

    private static async Task<(int Code, string Output)> ExecuteAsync(
        string program, IEnumerable<string> arguments, Action<string>? said, CancellationToken cancellation)
    {
        var start = new ProcessStartInfo(program, arguments)
        {
            WorkingDirectory = Folder,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        using var process = Process.Start(start)!;
        try
        {
            var errors = process.StandardError.ReadToEndAsync(cancellation);
            var output = new List<string>();
            while (await process.StandardOutput.ReadLineAsync(cancellation) is { } line)
            {
                output.Add(line);
                said?.Invoke(line);
            }
            await process.WaitForExitAsync(cancellation);
            return (process.ExitCode, string.Join('\n', output) + await errors);
        }
        finally
        {
            if (!process.HasExited) process.Kill(entireProcessTree: true);
        }
    }
}
