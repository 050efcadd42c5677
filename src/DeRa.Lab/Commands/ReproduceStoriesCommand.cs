using System.CommandLine;
using DeRa.Lab.Reproduction;

namespace DeRa.Lab.Commands;

/// <summary><c>dera-lab reproduce stories</c>: the default pair, from texts to models.</summary>
internal sealed class ReproduceStoriesCommand
{
    private readonly Option<string[]> _text = new("--text")
    {
        Description = "Files of stories to learn from, as for stories",
        Required = true,
        AllowMultipleArgumentsPerToken = true,
    };

    private readonly Option<string> _heldOut = new("--held-out")
    {
        Description = "File of stories to measure with; none of them is learned from",
        Required = true,
    };

    private readonly Option<string> _output = new("--output")
    {
        Description = "Folder for texts, models, and the finished pair in pair/",
        Required = true,
    };

    private readonly ComputeArguments _compute = new();

    public static Command Create()
    {
        var arguments = new ReproduceStoriesCommand();
        var command = new Command("stories",
            "Train the default pair: stories, tokenizer, train, train --from (SFT, then unlikelihood), align; each command is printed. "
            + "Minutes on a GPU, hours on two cores. Interrupted, the same command goes on.")
        {
            arguments._text, arguments._heldOut, arguments._output,
        };
        arguments._compute.AddTo(command);
        command.SetAction(arguments.RunAsync);
        return command;
    }

    private async Task<int> RunAsync(ParseResult parsed, CancellationToken cancellation)
    {
        var (output, error) = (parsed.InvocationConfiguration.Output, parsed.InvocationConfiguration.Error);
        var pair = new StoryPair(parsed.GetRequiredValue(_output), _compute.Given(parsed));
        foreach (var command in pair.Commands(parsed.GetRequiredValue(_text), parsed.GetRequiredValue(_heldOut)))
        {
            cancellation.ThrowIfCancellationRequested();
            output.WriteLine($"dera-lab {string.Join(' ', command)}");
            if (await LabCommands.RunAsync(command, output, error, cancellation) is not 0 and var failed) return failed;
        }
        pair.Finish();
        output.WriteLine($"The pair is in {pair.Finished}.");
        return 0;
    }
}
