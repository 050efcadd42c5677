namespace DeRa.Cli.Tests;

/// <summary>What a command line printed, and its exit code.</summary>
public sealed record CommandRun(int Code, string Out, string Error)
{
    public static async Task<CommandRun> OfAsync(params string[] args)
    {
        var (output, error) = (new StringWriter(), new StringWriter());
        var code = await Commands.RunAsync(args, output, error);
        return new CommandRun(code, output.ToString(), error.ToString());
    }
}
