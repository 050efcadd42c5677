using System.CommandLine;
using System.Globalization;
using DeRa.Lab.Evaluation;
using DeRa.Lab.Models;
using DeRa.Text.Loading;

namespace DeRa.Lab.Commands;

/// <summary><c>dera-lab loss</c>: how well a model predicts texts, in nats per character, which models of any tokenizer share.</summary>
internal sealed class LossCommand
{
    private readonly Option<string> _model = new("--model") { Description = "Model folder", Required = true };

    private readonly TextOptions _text = new(new Option<string[]>("--text")
    {
        Description = "Files with texts (as for train); of each text the part that fits the context counts",
        Required = true,
        AllowMultipleArgumentsPerToken = true,
    });

    private readonly ComputeArguments _compute = new();

    public static Command Create()
    {
        var arguments = new LossCommand();
        var command = new Command("loss", "Measure how well a model predicts texts it has not seen.") { arguments._model };
        arguments._text.AddTo(command);
        arguments._compute.AddTo(command);
        command.SetAction((parsed, cancellation) => Task.FromResult(arguments.Run(parsed, cancellation)));
        return command;
    }

    private int Run(ParseResult parsed, CancellationToken cancellation)
    {
        var folder = parsed.RequiredFolder(_model);
        var texts = _text.Read(parsed);
        var device = _compute.Load(parsed);
        var tokenizer = TokenizerLoader.Load(folder);
        using var model = TrainableDecoder.Load(folder, device);
        var (nats, characters, tokens) = (0.0, 0L, 0L);
        foreach (var text in texts)
        {
            cancellation.ThrowIfCancellationRequested();
            var loss = TextLoss.Of(model, tokenizer, text);
            (nats, characters, tokens) = (nats + loss.Nats, characters + loss.Characters, tokens + loss.Tokens);
        }
        if (tokens == 0)
            throw new LabException($"--text: after its prompt no text has a token within the context of {model.Config.ContextTokens}.");
        parsed.InvocationConfiguration.Output.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"{texts.Count} texts of {_text.Source(parsed)}: {nats / characters:F4} nats a character, {nats / tokens:F4} a token, ")
            + string.Create(CultureInfo.InvariantCulture, $"{characters / (double)tokens:F2} characters a token"));
        return 0;
    }
}
