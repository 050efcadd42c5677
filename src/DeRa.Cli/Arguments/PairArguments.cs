using System.CommandLine;
using System.CommandLine.Parsing;
using DeRa.Engine;
using DeRa.Engine.Scheduling;
using DeRa.Hosting.Options;
using DeRa.Serving.Loading;
using DeRa.Serving.Requests;
using DeRa.Torch.Execution;

namespace DeRa.Cli.Arguments;

/// <summary>The options of every command that loads a pair.</summary>
internal sealed class PairArguments
{
    private readonly DeviceArguments _device = new();

    private readonly Option<string?> _reference = new("--reference")
    {
        Description = "The reference (SFT) model: a folder in Hugging Face layout, or ORGANISATION/NAME or ORGANISATION/NAME@REVISION on "
            + "the Hub (default: the default pair's); needs --aligned",
    };

    private readonly Option<string[]> _aligned = new("--aligned")
    {
        Description = "An aligned (RLHF, DPO, …) model of the same vocabulary, or a LoRA adapter over the reference: a folder or a name "
            + "on the Hub (default: the default pair's); needs --reference. Several may be given, each with a name: helpful=MODEL",
    };

    private readonly Option<int?> _contextLength = new("--context-length")
    {
        Description = "Most tokens of the text, prompt included (default: what all models allow)",
    };

    private readonly Option<int?> _cacheTokens = new("--cache-tokens")
    {
        Description = "Tokens that each model's cache holds (default: what fits into memory)",
    };

    private readonly Option<string> _speculation = new("--speculation")
    {
        Description = "auto (whichever is faster, as measured), on (the models take turns and guess the next token for each other) or off "
            + "(all models run every token in the same step); the text is the same",
        DefaultValueFactory = _ => "auto",
    };

    /// <summary>Declares them.</summary>
    /// <param name="command">The command.</param>
    /// <param name="generates">Whether it makes tokens, so that they can be guessed.</param>
    public void AddTo(Command command, bool generates = true)
    {
        command.Add(_contextLength);
        command.Add(_cacheTokens);
        if (generates) command.Add(_speculation);
        AddModelsTo(command);
    }

    /// <summary>Declares only what says which models run, and where.</summary>
    public void AddModelsTo(Command command)
    {
        command.Add(_reference);
        command.Add(_aligned);
        _device.AddTo(command);
    }

    /// <summary>Whether models are named, rather than the default pair taken.</summary>
    public bool NamesModels(SymbolResult command) =>
        command.GetResult(_reference) is not null || command.GetResult(_aligned) is not null;

    /// <exception cref="FormatException">A value is not allowed, or one folder is given alone; the message names the option.</exception>
    public ServedPairOptions Read(ParseResult parsed)
    {
        var folders = PairFolders.Choose(parsed.GetValue(_reference), parsed.GetValue(_aligned) ?? []);
        return new()
        {
            Names = new ServedNames("pair", [.. folders.Aligned.Select(model => model.Name)]),
            Models = ReadModels(parsed, folders) with
            {
                ContextTokens = parsed.GetValue(_contextLength),
                CacheTokens = parsed.GetValue(_cacheTokens),
            },
            Engine = new EngineOptions { Speculation = ReadSpeculation(parsed.GetValue(_speculation) ?? "auto") },
        };
    }

    /// <summary>What <see cref="AddModelsTo"/> declares.</summary>
    /// <param name="parsed">The command line.</param>
    /// <param name="other">Folders that are run instead of those named; null = none.</param>
    /// <inheritdoc cref="Read(ParseResult)"/>
    public PairOptions ReadModels(ParseResult parsed, PairFolders? other)
    {
        var folders = other ?? PairFolders.Choose(parsed.GetValue(_reference), parsed.GetValue(_aligned) ?? []);
        return new()
        {
            ReferencePath = folders.Reference,
            Aligned = folders.Aligned,
            Device = _device.Device(parsed),
            DType = _device.DType(parsed),
            CacheDType = _device.CacheDType(parsed),
            Kernels = _device.Kernels(parsed),
            LibTorch = _device.LibTorch(parsed),
        };
    }

    private static Speculation ReadSpeculation(string word) => (Speculation?)OptionWords.Find(typeof(Speculation), word)
        ?? throw new FormatException($"--speculation is '{word}'; it must be {OptionWords.Allowed(typeof(Speculation))}.");
}
