using System.CommandLine;
using DeRa.Cli.Arguments;
using DeRa.Hub;

namespace DeRa.Cli;

/// <summary><c>dera pull</c>: downloads models from the Hub and prints each one's folder.</summary>
internal static class PullCommand
{
    private static readonly Argument<string[]> s_names = new("name")
    {
        Description = "NAME or ORGANISATION/NAME of a model on the Hub, with @REVISION where another than main is wanted",
        Arity = ArgumentArity.OneOrMore,
    };

    public static Command Create()
    {
        var command = new Command("pull", "Download models from the Hugging Face Hub into its cache, which Python's programs share, and "
            + "print each one's folder. Only the files that serving needs; an interrupted download resumes where it stopped. "
            + "HF_TOKEN, HF_ENDPOINT, HF_HOME, HF_HUB_CACHE and HF_HUB_OFFLINE mean what they mean there.")
        {
            s_names,
        };
        command.SetAction((parsed, cancellation) => RunAsync(
            parsed.GetRequiredValue(s_names), parsed.InvocationConfiguration, cancellation));
        return command;
    }

    private static async Task<int> RunAsync(string[] names, InvocationConfiguration console, CancellationToken cancellation)
    {
        HubModels.Check(names);
        foreach (var name in names)
            await console.Output.WriteLineAsync(await ModelFolders.ResolveAsync(name, withWeights: true, console.Error, cancellation));
        return 0;
    }
}
