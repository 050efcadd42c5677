using System.CommandLine;
using DeRa.Lab.Evaluation;
using DeRa.Lab.Models;
using DeRa.Lab.Sampling;
using TorchSharp;

namespace DeRa.Lab.Commands;

/// <summary><c>dera-lab compare</c>: samples of two pairs in random order, for people to judge before they look at the key.</summary>
internal sealed class CompareCommand
{
    private readonly Option<string> _reference = new("--reference") { Description = "Model folder of the first pair", Required = true };
    private readonly Option<string?> _aligned = new("--aligned") { Description = "Aligned model folder of the first pair" };

    private readonly Option<string> _otherReference = new("--other-reference")
    {
        Description = "Model folder of the second pair",
        Required = true,
    };

    private readonly Option<string?> _otherAligned = new("--other-aligned") { Description = "Aligned model folder of the second pair" };
    private readonly Option<double> _strength = new("--strength") { Description = "λ of both pairs", DefaultValueFactory = _ => 1 };
    private readonly Option<double> _temperature = TemperatureOption.Create(.7);
    private readonly TextPrompts _prompts = new();
    private readonly Option<int> _count = WholeNumberOption.Create("--count", "Samples of each pair", 10);
    private readonly Option<int> _maxTokens = WholeNumberOption.Create("--max-tokens", "Longest completion, end token included", 400);

    private readonly Option<long> _seed = new("--seed")
    {
        Description = "The same seed gives the same texts in the same order",
        DefaultValueFactory = _ => 1,
    };

    private readonly ComputeArguments _compute = new();

    public static Command Create()
    {
        var arguments = new CompareCommand();
        var command = new Command("compare",
            "Print samples of two pairs for the same prompts as Markdown, numbered in random order; the key follows at the end.")
        {
            arguments._reference, arguments._aligned, arguments._otherReference, arguments._otherAligned, arguments._strength,
            arguments._temperature, arguments._count, arguments._maxTokens, arguments._seed,
        };
        arguments._prompts.AddTo(command);
        arguments._compute.AddTo(command);
        command.SetAction((parsed, cancellation) => Task.FromResult(arguments.Run(parsed, cancellation)));
        return command;
    }

    private int Run(ParseResult parsed, CancellationToken cancellation)
    {
        var (first, firstAligned) = (parsed.RequiredFolder(_reference), parsed.Folder(_aligned));
        var (second, secondAligned) = (parsed.RequiredFolder(_otherReference), parsed.Folder(_otherAligned));
        var device = _compute.Load(parsed);
        var samples = new ShuffledSamples(
            Draw(parsed, first, firstAligned, device, cancellation), Draw(parsed, second, secondAligned, device, cancellation),
            parsed.GetValue(_seed));
        parsed.InvocationConfiguration.Output.Write(samples.ToMarkdown());
        return 0;
    }

    private string[] Draw(
        ParseResult parsed, string folder, string? alignedFolder, torch.Device device, CancellationToken cancellation)
    {
        using var pair = new LoadedPair(folder, alignedFolder, device);
        var mixture = pair.At(parsed.GetValue(_strength), parsed.GetValue(_temperature));
        var (texts, encoded) = (_prompts.Texts(parsed), _prompts.Encode(parsed, pair.Tokenizer, mixture.ContextTokens));
        var turns = Enumerable.Range(0, parsed.GetValue(_count)).Select(i => i % texts.Length).ToArray();
        var drawn = Sampler.Sample(mixture, [.. turns.Select(i => encoded[i])], ModelFolder.EndToken(folder),
            parsed.GetValue(_maxTokens), parsed.GetValue(_seed), cancellation: cancellation);
        return [.. turns.Zip(drawn, (i, sampled) => texts[i] + sampled.Decode(pair.Tokenizer, continuesText: texts[i].Length > 0))];
    }
}
