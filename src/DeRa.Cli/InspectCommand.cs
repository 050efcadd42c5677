using System.CommandLine;
using DeRa.Hub;
using DeRa.Torch.Models;

namespace DeRa.Cli;

/// <summary>
/// <c>dera inspect</c>: says what a model is and what it takes, and of two whether they are a pair. Reads headers, no weights.
/// </summary>
internal static class InspectCommand
{
    private static readonly Argument<string[]> s_models = new("model")
    {
        Description = "A folder in Hugging Face layout or a name on the Hub; a second one is taken for the aligned model of a pair",
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
        using var models = new HubModels(HubOptions.FromEnvironment(), TimeProvider.System);
        var inspections = new List<ModelInspection>();
        foreach (var name in names)
        {
            inspections.Add(await InspectAsync(models, name, console.Error, cancellation));
            await console.Output.WriteLineAsync(ModelReport.Of(name, inspections[^1]));
        }
        if (inspections is not [var reference, var aligned]) return inspections[0].Problems.Count == 0 ? 0 : 1;
        var pair = PairReport.Of(reference, aligned);
        await console.Output.WriteLineAsync(pair.Text);
        return pair.IsPair ? 0 : 1;
    }

    private static async Task<ModelInspection> InspectAsync(
        HubModels models, string name, TextWriter error, CancellationToken cancellation)
    {
        using var progress = PullCommand.Progress(error);
        var folder = await models.ResolveWithoutWeightsAsync(name, revision: null, progress, cancellation);
        return ModelInspection.Read(folder, needsWeights: folder == name);
    }
}
