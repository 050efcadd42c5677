using System.CommandLine;
using DeRa.Lab.Data;
using DeRa.Lab.Models;
using DeRa.Lab.Training;
using DeRa.Text.Loading;
using DeRa.Torch.Configuration;

namespace DeRa.Lab.Commands;

/// <summary><c>dera-lab train</c>: pretraining from nothing, or SFT of a model that is there.</summary>
internal sealed class TrainCommand
{
    private readonly TextOptions _text = new(new Option<string[]>("--text")
    {
        Description = "Files to learn from: .jsonl with {\"prompt\", \"completion\"} a line (no loss on prompts), "
            + "or text with <|endoftext|> between documents",
        Required = true,
        AllowMultipleArgumentsPerToken = true,
    });

    private readonly Option<string> _output = new("--output")
    {
        Description = "Folder of the run and of the finished model",
        Required = true,
    };

    private readonly Option<string?> _from = new("--from")
    {
        Description = "Model folder to go on from (SFT); its tokenizer and shape are kept",
    };

    private readonly Option<string?> _tokenizer = new("--tokenizer") { Description = "Folder with a tokenizer, for a new model" };
    private readonly Option<int> _hidden = WholeNumberOption.Create("--hidden", "Width of a new model", 160);

    private readonly Option<int> _intermediate = WholeNumberOption.Create(
        "--intermediate", "Width inside a new model's feed-forward layers", 432);

    private readonly Option<int> _layers = WholeNumberOption.Create("--layers", "Layers of a new model", 5);

    private readonly Option<int> _heads = WholeNumberOption.Create(
        "--heads", "Attention heads of a new model; --hidden is a multiple of twice as many", 5);

    private readonly Option<int> _context = WholeNumberOption.Create("--context", "Most tokens that a new model reads", 512);
    private readonly Option<int> _rows = WholeNumberOption.Create("--batch-rows", "Rows of a batch", 8);
    private readonly Option<int> _rowTokens = WholeNumberOption.Create("--row-tokens", "Tokens of a row; at most the context", 384);

    private readonly Option<string> _computeType = NumberType.Create("--compute-dtype",
        "Matrix products and attention: float32, or bfloat16 (mixed precision), faster on GPUs and processors with AVX512-BF16 or AMX");

    private readonly UnlikelihoodArguments _unlikelihood = new();
    private readonly OptimizerArguments _optimizer = new(steps: 2000, learningRate: 3e-3);
    private readonly ComputeArguments _compute = new();

    public static Command Create()
    {
        var arguments = new TrainCommand();
        var command = new Command("train",
            "Pretrain a new model (--tokenizer) or fine-tune one (--from). Interrupted, the same command goes on.")
        {
            arguments._output, arguments._from, arguments._tokenizer, arguments._hidden, arguments._intermediate,
            arguments._layers, arguments._heads, arguments._context, arguments._rows, arguments._rowTokens,
            arguments._computeType,
        };
        arguments._text.AddTo(command);
        arguments._unlikelihood.AddTo(command);
        arguments._optimizer.AddTo(command);
        arguments._compute.AddTo(command);
        command.SetAction((parsed, cancellation) => Task.FromResult(arguments.Run(parsed, cancellation)));
        return command;
    }

    private int Run(ParseResult parsed, CancellationToken cancellation)
    {
        var source = parsed.Folder(_from) ?? parsed.Folder(_tokenizer)
            ?? throw new LabException("--tokenizer (a new model) or --from (fine-tuning) is needed.");
        var shape = ShapeOptions.FirstOrDefault(option => parsed.GetResult(option) is { Implicit: false });
        if (parsed.GetValue(_from) is not null && shape is { } given)
            throw new LabException($"{given.Name} is for a new model; with --from the model's own is kept.");
        var unlearns = _unlikelihood.AreGiven(parsed, isFineTuning: parsed.GetValue(_from) is not null);
        var type = _optimizer.StoredAs(parsed);
        var texts = _text.Read(parsed);
        var settings = _optimizer.Read(parsed);
        settings.Validate();
        var device = _compute.Load(parsed);
        var tokenizer = TokenizerLoader.Load(source);
        using var model = parsed.GetValue(_from) is { } from
            ? TrainableDecoder.Load(from, device)
            : TrainableDecoder.Create(Shape(parsed, tokenizer.VocabularySize), _optimizer.Seed(parsed), device);
        model.ComputeType = NumberType.Parse(_computeType, parsed);
        var end = ModelFolder.EndToken(source);
        var rowTokens = parsed.GetValue(_rowTokens);
        if (rowTokens > model.Config.ContextTokens)
            throw new LabException($"--row-tokens is {rowTokens}; the context allows 1 to {model.Config.ContextTokens}.");
        var rows = new PackedRows([.. texts.Select(text => EncodedDocument.Of(text, tokenizer, end))], parsed.GetValue(_rows), rowTokens);
        var output = parsed.InvocationConfiguration.Output;
        output.WriteLine($"{texts.Count} documents of {_text.Source(parsed)}, {model.ParameterCount:N0} parameters");
        var modelling = new LanguageModelling(rows, _optimizer.Seed(parsed), Describe(parsed, texts, model));
        ITrainingTask task = unlearns
            ? _unlikelihood.Create(parsed, modelling, texts, tokenizer, end, _optimizer.Seed(parsed), cancellation) : modelling;
        var folder = parsed.GetRequiredValue(_output);
        new Trainer(settings, task, new RunFolder(folder), new TrainingProgress(output, "train", !Console.IsOutputRedirected))
            .Run(model, trained => ModelFolder.Write(folder, trained, source, type), cancellation);
        return 0;
    }

    private Option[] ShapeOptions => [_tokenizer, _hidden, _intermediate, _layers, _heads, _context];

    private ModelConfig Shape(ParseResult parsed, int vocabulary)
    {
        var (hidden, heads) = (parsed.GetValue(_hidden), parsed.GetValue(_heads));
        if (hidden % (2 * heads) != 0)
            throw new LabException($"--hidden is {hidden}; it must be a multiple of 2 · --heads ({2 * heads}).");
        return PlainShape.Of(
            vocabulary, hidden, parsed.GetValue(_intermediate), parsed.GetValue(_layers), heads, parsed.GetValue(_context));
    }

    private string Describe(ParseResult parsed, IReadOnlyList<Document> texts, TrainableDecoder model)
    {
        var shape = model.Config;
        var fingerprint = Fingerprint.Of(texts.Select(text => text.Prompt + '\x1' + text.Text));
        return $"language modelling, texts {fingerprint}, from {parsed.GetValue(_from) ?? "nothing"}, "
            + $"seed {_optimizer.Seed(parsed)}, {parsed.GetValue(_rows)} rows of {parsed.GetValue(_rowTokens)} tokens, "
            + $"hidden {shape.HiddenSize}, intermediate {shape.IntermediateSize}, layers {shape.LayerCount}, heads {shape.HeadCount}, "
            + $"context {shape.ContextTokens}, computed in {model.ComputeType}, stored as {_optimizer.StoredAs(parsed)}";
    }
}
