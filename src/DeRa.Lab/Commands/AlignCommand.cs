using System.CommandLine;
using System.Globalization;
using DeRa.Lab.Alignment;
using DeRa.Lab.Models;
using DeRa.Lab.Training;
using DeRa.Text.Loading;

namespace DeRa.Lab.Commands;

/// <summary><c>dera-lab align</c>: trains an aligned model from a reference, for a reward.</summary>
internal sealed class AlignCommand
{
    private readonly Option<string> _reference = new("--reference")
    {
        Description = "Model folder to begin with and to stay close to",
        Required = true,
    };

    private readonly Option<string> _output = new("--output")
    {
        Description = "Folder of the run and of the aligned model",
        Required = true,
    };

    private readonly Option<string> _method = new("--method")
    {
        Description = AlignmentMethod.Known,
        DefaultValueFactory = _ => "policy-gradient",
    };

    private readonly Option<double> _beta = new("--beta")
    {
        Description = "KL strength, above 0: the smaller, the further from the reference",
        Required = true,
    };

    private readonly Option<int> _promptsPerStep = WholeNumberOption.Create("--prompts-per-step", "Prompts of a step", 8);
    private readonly Option<int> _completions = WholeNumberOption.Create("--completions", "Completions of each prompt", 8, minimum: 2);
    private readonly OptimizerArguments _optimizer = new(steps: 200, learningRate: 1e-3);
    private readonly TaskArguments _task = new();
    private readonly ComputeArguments _compute = new();

    public static Command Create()
    {
        var arguments = new AlignCommand();
        var command = new Command("align",
            "Train an aligned model: more reward, close to the reference. Interrupted, the same command goes on.")
        {
            arguments._reference, arguments._output, arguments._method, arguments._beta, arguments._promptsPerStep,
            arguments._completions,
        };
        arguments._task.AddTo(command);
        arguments._optimizer.AddTo(command);
        arguments._compute.AddTo(command);
        command.SetAction((parsed, cancellation) => Task.FromResult(arguments.Run(parsed, cancellation)));
        return command;
    }

    private int Run(ParseResult parsed, CancellationToken cancellation)
    {
        var (folder, output) = (parsed.RequiredFolder(_reference), parsed.GetRequiredValue(_output));
        var (objective, fromReference) = AlignmentMethod.Create(
            parsed.GetRequiredValue(_method), parsed.GetValue(_beta), _optimizer.Seed(parsed));
        var type = _optimizer.StoredAs(parsed);
        var training = _optimizer.Read(parsed);
        training.Validate();
        using var reward = _task.Reward(parsed);
        var device = _compute.Load(parsed);
        var tokenizer = TokenizerLoader.Load(folder);
        using var reference = TrainableDecoder.Load(folder, device);
        using var model = reference.Clone();
        var prompts = _task.Prompts(parsed, tokenizer, model.Config.ContextTokens);
        var settings = Settings(parsed, fromReference);
        var description = string.Create(CultureInfo.InvariantCulture,
            $"{parsed.GetValue(_method)}, beta {objective.Beta}, reward {reward.Name}, reference {folder}, ")
            + string.Create(CultureInfo.InvariantCulture,
                $"{prompts.Count} prompts {Fingerprint.Of(prompts.Select(prompt => prompt.Text))}, stored as {type}, {settings}");
        var task = new AlignmentTask(
            reference, prompts, new CompletionScorer(tokenizer, reward), objective, settings, ModelFolder.EndToken(folder),
            description, cancellation);
        var text = parsed.InvocationConfiguration.Output;
        text.WriteLine($"{prompts.Count} prompts of {_task.Source(parsed)}, {model.ParameterCount:N0} parameters");
        new Trainer(training, task, new RunFolder(output), new TrainingProgress(text, objective.Name, !Console.IsOutputRedirected))
            .Run(model, trained => ModelFolder.Write(output, trained, folder, type), cancellation);
        return 0;
    }

    private AlignmentSettings Settings(ParseResult parsed, bool fromReference) => new()
    {
        Prompts = parsed.GetValue(_promptsPerStep),
        Completions = parsed.GetValue(_completions),
        MaxTokens = _task.MaxTokens(parsed),
        FromReference = fromReference,
        Seed = _optimizer.Seed(parsed),
    };
}
