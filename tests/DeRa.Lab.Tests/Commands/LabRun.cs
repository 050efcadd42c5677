using DeRa.Lab.Commands;

namespace DeRa.Lab.Tests.Commands;

/// <summary>What a command line printed, and its exit code.</summary>
internal sealed record LabRun(int Code, string Out, string Error)
{
    public static Task<LabRun> OfAsync(params IEnumerable<string> args) => OfAsync(CancellationToken.None, args);

    public static async Task<LabRun> OfAsync(CancellationToken cancellation, params IEnumerable<string> args)
    {
        var (output, error) = (new StringWriter(), new StringWriter());
        var code = await LabCommands.RunAsync([.. args], output, error, cancellation);
        return new LabRun(code, output.ToString(), error.ToString());
    }

    /// <summary>The output of a command line that must succeed.</summary>
    public static async Task<string> OutputAsync(params IEnumerable<string> args)
    {
        var run = await OfAsync(args);
        return (run.Code, run.Error) == (0, "") ? run.Out : throw new InvalidOperationException($"exit code {run.Code}: {run.Error}");
    }
}
