using System.CommandLine;
using DeRa.Cli.Arguments;
using DeRa.Hub;
using DeRa.Serving.Inspection;
using DeRa.Torch.Adapters;

namespace DeRa.Cli;

/// <summary>
/// <c>dera inspect</c>: says what a model is and what it takes, and of two whether they are a pair. Reads headers, no weights.
/// </summary>
internal static class InspectCommand
{
    private static readonly Argument<string[]> s_models = new("model")
    {
        Description = "A folder in Hugging Face layout or a name on the Hub; a second one is taken for the aligned model of a pair, "
            + "and may be an adapter",
        Arity = new ArgumentArity(1, 2),
    };

    public static Command Create()
    {
        var command = new Command("inspect", "Show a model's architecture, size and memory, and whether two models are a pair. Of a model "
            + "on the Hub only configuration and tokenizer are downloaded, some megabytes; 'dera pull' gets the weights. "
            + "The exit code is 0 where all can be served, else 1.")
        {
            s_models,
        };
        command.SetAction((parsed, cancellation) => RunAsync(
            parsed.GetRequiredValue(s_models), parsed.InvocationConfiguration, cancellation));
        return command;
    }

    private static async Task<int> RunAsync(string[] names, InvocationConfiguration console, CancellationToken cancellation)
    {
        HubModels.Check(names);
        ModelInspection? reference = null;
        var isWell = true;
        foreach (var name in names)
        {
            var isLocal = Directory.Exists(name);
            var folder = await ModelFolders.ResolveAsync(name, withWeights: false, console.Error, cancellation);
            if (LoraInspection.IsIn(folder))
            {
                var adapter = AdapterInspection.Read(folder, reference?.Checkpoint, needsWeights: isLocal);
                await console.Output.WriteLineAsync(AdapterReport.Of(name, adapter, reference));
                isWell &= adapter.Problems.Count == 0;
                continue;
            }
            var model = ModelInspection.Read(folder, needsWeights: isLocal);
            await console.Output.WriteLineAsync(ModelReport.Of(name, model));
            isWell &= model.Problems.Count == 0;
            if (reference is not null) isWell &= await WritePairAsync(PairReport.Of(reference, model), console.Output);
            reference ??= model;
        }
        return isWell ? 0 : 1;
    }

    private static async Task<bool> WritePairAsync(PairReport pair, TextWriter output)
    {
        await output.WriteLineAsync(pair.Text);
        return pair.IsPair;
    }
}
