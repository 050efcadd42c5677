using System.CommandLine;
using System.Text.Json;
using DeRa.Lab.Sampling;
using DeRa.Text;

namespace DeRa.Lab.Commands;

/// <summary><c>dera-lab sample</c>: many completions of one model or of a pair at a strength.</summary>
internal sealed class SampleCommand
{
    private readonly Option<string> _reference = new("--reference") { Description = "Model folder", Required = true };
    private readonly Option<string?> _aligned = new("--aligned") { Description = "Aligned model folder" };
    private readonly Option<double> _strength = new("--strength") { Description = "λ, with --aligned", DefaultValueFactory = _ => 1 };

    private readonly Option<double> _temperature = TemperatureOption.Create();
    private readonly TextPrompts _prompts = new();

    private readonly Option<int> _count = WholeNumberOption.Create("--count", "Completions", 4);
    private readonly Option<int> _batch = WholeNumberOption.Create("--batch", "Completions drawn at once", 128);
    private readonly Option<int> _maxTokens = WholeNumberOption.Create("--max-tokens", "Longest completion, end token included", 400);

    private readonly Option<long> _seed = new("--seed")
    {
        Description = "The same seed gives the same texts",
        DefaultValueFactory = _ => 1,
    };

    private readonly Option<string?> _output = new("--output")
    {
        Description = "A .jsonl file that completions which ended by themselves are added to; default: print all",
    };

    private readonly Option<int?> _endToken = EndToken.CreateOption();

    private readonly ComputeArguments _compute = new();

    public static Command Create()
    {
        var arguments = new SampleCommand();
        var command = new Command("sample", "Draw completions from a model or a mixture, at temperature 1 exactly from it.")
        {
            arguments._reference, arguments._aligned, arguments._strength, arguments._temperature, arguments._count,
            arguments._batch, arguments._maxTokens, arguments._seed, arguments._output, arguments._endToken,
        };
        arguments._prompts.AddTo(command);
        arguments._compute.AddTo(command);
        command.SetAction((parsed, cancellation) => Task.FromResult(arguments.Run(parsed, cancellation)));
        return command;
    }

    private int Run(ParseResult parsed, CancellationToken cancellation)
    {
        var (folder, alignedFolder) = (parsed.RequiredFolder(_reference), parsed.Folder(_aligned));
        var device = _compute.Load(parsed);
        using var pair = new LoadedPair(folder, alignedFolder, device);
        var mixture = pair.At(parsed.GetValue(_strength), parsed.GetValue(_temperature));
        var end = EndToken.Of(parsed, _endToken, folder, pair.Reference);
        var (prompts, encoded) = (_prompts.Texts(parsed), _prompts.Encode(parsed, pair.Tokenizer, mixture.ContextTokens));
        using var file = parsed.GetValue(_output) is { } name ? File.AppendText(name) : null;
        for (var done = 0; done < parsed.GetValue(_count);)
        {
            cancellation.ThrowIfCancellationRequested();
            var count = Math.Min(parsed.GetValue(_batch), parsed.GetValue(_count) - done);
            var batch = Enumerable.Range(done, count).Select(i => i % prompts.Length).ToArray();
            var texts = Sampler.Sample(
                mixture, [.. batch.Select(i => encoded[i])], end, parsed.GetValue(_maxTokens), parsed.GetValue(_seed) + done,
                cancellation: cancellation);
            foreach (var (i, text) in batch.Zip(texts))
                Write(parsed.InvocationConfiguration.Output, file, pair.Tokenizer, prompts[i], text);
            done += count;
            file?.Flush();
        }
        return 0;
    }

    private static void Write(TextWriter output, StreamWriter? file, ITokenizer tokenizer, string prompt, SampledText sampled)
    {
        var completion = sampled.Decode(tokenizer, continuesText: prompt.Length > 0);
        if (file is null) output.WriteLine(prompt + completion + "\n---");
        else if (sampled.Finished) file.WriteLine(JsonSerializer.Serialize(new { prompt, completion }));
    }
}
