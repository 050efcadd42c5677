using System.Net.Sockets;
using System.Reflection;
using DeRa.Hosting.Options;

namespace DeRa.Hosting.Programs;

/// <summary>A server as a program: options in, exit code out.</summary>
/// <param name="name">What messages call it, such as <c>server</c>.</param>
/// <param name="help">The text of <c>--help</c>.</param>
/// <param name="output">For <c>--help</c> and <c>--version</c>.</param>
/// <param name="errors">For what keeps it from starting, a line each.</param>
public sealed class HostedProgram(string name, Func<string> help, TextWriter output, TextWriter errors)
{
    /// <summary>All went well.</summary>
    public const int Success = 0;

    /// <summary>It could not start, for instance since a port could not be opened.</summary>
    public const int StartFailed = 1;

    /// <summary>An option is unknown, missing or out of range.</summary>
    public const int BadOption = 2;

    /// <summary>The version of the assembly that a type is from, such as <c>0.1.0+commit</c>.</summary>
    public static string VersionOf(Type type) =>
        type.Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()!.InformationalVersion;

    /// <summary>Responds to <c>--help</c> and <c>--version</c>, or serves.</summary>
    /// <param name="arguments">The command line.</param>
    /// <param name="version">The program's version.</param>
    /// <param name="serve">Reads the options and serves until the process is asked to stop; returns the exit code.</param>
    /// <returns>The process's exit code.</returns>
    public async Task<int> RunAsync(IReadOnlyList<string> arguments, string version, Func<Task<int>> serve)
    {
        if (arguments.Any(argument => argument is "--help" or "-h"))
        {
            await output.WriteAsync(help());
            return Success;
        }
        if (arguments.Contains("--version"))
        {
            await output.WriteLineAsync(version);
            return Success;
        }
        try
        {
            return await serve();
        }
        catch (OptionException bad)
        {
            await errors.WriteLineAsync(bad.Message);
            return BadOption;
        }
        catch (Exception fault) when (fault is IOException or SocketException)
        {
            await errors.WriteLineAsync($"The {name} cannot listen: {fault.Message}");
            return StartFailed;
        }
        catch (Exception fault)
        {
            await errors.WriteLineAsync($"The {name} has failed: {fault.GetType().Name}: {fault.Message.ReplaceLineEndings(" ")}");
            return StartFailed;
        }
    }
}
