using System.CommandLine;
using System.Text.Json;
using DeRa.Lab.Models;
using DeRa.Lab.Sampling;
using DeRa.Text;
using DeRa.Text.Loading;

namespace DeRa.Lab.Commands;

/// <summary><c>dera-lab sample</c>: many completions at temperature 1, of one model or of a pair at a strength.</summary>
internal sealed class SampleCommand
{
    private readonly Option<string> _reference = new("--reference") { Description = "Model folder", Required = true };
    private readonly Option<string?> _aligned = new("--aligned") { Description = "Aligned model folder" };
    private readonly Option<double> _strength = new("--strength") { Description = "λ, with --aligned", DefaultValueFactory = _ => 1 };

    private readonly Option<string[]> _prompts = new("--prompt")
    {
        Description = "Prompts, taken in turn; default: none, the text begins with what the tokenizer puts before one",
        DefaultValueFactory = _ => [""],
    };

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

    private readonly Option<int?> _endToken = new("--end-token")
    {
        Description = "Token id that ends a text; default: as the model folder says",
    };

    private readonly ComputeArguments _compute = new();

    public static Command Create()
    {
        var arguments = new SampleCommand();
        var command = new Command("sample", "Draw completions, exactly from the model or the mixture.")
        {
            arguments._reference, arguments._aligned, arguments._strength, arguments._prompts, arguments._count, arguments._batch,
            arguments._maxTokens, arguments._seed, arguments._output, arguments._endToken,
        };
        arguments._compute.AddTo(command);
        command.SetAction((parsed, cancellation) => Task.FromResult(arguments.Run(parsed, cancellation)));
        return command;
    }

    private int Run(ParseResult parsed, CancellationToken cancellation)
    {
        var (folder, alignedFolder) = (parsed.RequiredFolder(_reference), parsed.Folder(_aligned));
        var device = _compute.Load(parsed);
        var tokenizer = TokenizerLoader.Load(folder);
        using var reference = TrainableDecoder.Load(folder, device);
        if (alignedFolder is not null) SameVocabulary.Require(tokenizer, alignedFolder);
        using var aligned = alignedFolder is null ? null : TrainableDecoder.Load(alignedFolder, device);
        var mixture = aligned is null ? Mixture.Of(reference) : new Mixture(reference, aligned, parsed.GetValue(_strength));
        var prompts = parsed.GetRequiredValue(_prompts);
        var end = parsed.GetValue(_endToken) ?? ModelFolder.EndToken(folder);
        if (end < 0 || end >= reference.Config.VocabularySize)
            throw new LabException($"--end-token is {end}; it must be between 0 and {reference.Config.VocabularySize - 1}.");
        var encoded = prompts.Select(prompt => tokenizer.Encode(prompt).ToArray()).ToArray();
        if (encoded.Any(tokens => tokens.Length == 0))
            throw new LabException("--prompt is empty, and the tokenizer puts nothing before a text.");
        if (encoded.Max(tokens => tokens.Length) is var longest && longest > mixture.ContextTokens)
            throw new LabException($"--prompt has {longest} tokens; the context allows 1 to {mixture.ContextTokens}.");
        using var file = parsed.GetValue(_output) is { } name ? File.AppendText(name) : null;
        for (var done = 0; done < parsed.GetValue(_count);)
        {
            cancellation.ThrowIfCancellationRequested();
            var count = Math.Min(parsed.GetValue(_batch), parsed.GetValue(_count) - done);
            var batch = Enumerable.Range(done, count).Select(i => i % prompts.Length).ToArray();
            var texts = Sampler.Sample(
                mixture, [.. batch.Select(i => encoded[i])], end, parsed.GetValue(_maxTokens), parsed.GetValue(_seed) + done,
                cancellation: cancellation);
            foreach (var (i, text) in batch.Zip(texts)) Write(parsed.InvocationConfiguration.Output, file, tokenizer, prompts[i], text);
            done += count;
            file?.Flush();
        }
        return 0;
    }

    private static void Write(TextWriter output, StreamWriter? file, ITokenizer tokenizer, string prompt, SampledText sampled)
    {
        var completion = Continuation(tokenizer, prompt, sampled);
        if (file is null) output.WriteLine(prompt + completion + "\n---");
        else if (sampled.Finished) file.WriteLine(JsonSerializer.Serialize(new { prompt, completion }));
    }

    private static string Continuation(ITokenizer tokenizer, string prompt, SampledText sampled)
    {
        var decoder = tokenizer.CreateDecoder(continuesText: prompt.Length > 0);
        var tokens = sampled.Finished ? sampled.Tokens[..^1] : sampled.Tokens;
        return string.Concat(tokens.Select(decoder.Append)) + decoder.Finish();
    }
}
