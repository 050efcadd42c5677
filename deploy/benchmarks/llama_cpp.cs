#:package LLamaSharp@0.30.0
#:package LLamaSharp.Backend.Cpu@0.30.0
#:property ManagePackageVersionsCentrally=false
#:property AllowUnsafeBlocks=true
#:property PublishAot=false
#:property AssemblyName=llama-cpp
#:property JsonSerializerIsReflectionEnabledByDefault=true

// llama.cpp's library on the CPU, on the same weights as DeRa: how fast it runs a pair, and whether its logits are the golden ones.
//   dotnet run deploy/benchmarks/llama_cpp.cs -- measure REFERENCE.gguf ALIGNED.gguf, with the options below
//   dotnet run deploy/benchmarks/llama_cpp.cs -- verify MODEL.gguf GOLDEN_FOLDER [MODEL.gguf GOLDEN_FOLDER …]

using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;
using System.Text.Json;
using LLama.Native;

const string Usage = """
    measure REFERENCE.gguf ALIGNED.gguf, with
      --batch 1,2,4,8    sequences that decode at once (1 to 64), or none
      --prompt 512       tokens of prompts (1 to 32768), or none
      --threads 1,2      numbers of threads (default: 1, 2 and the number of cores)
      --tokens 8         that each sequence decodes in a round
      --rounds 7         after the one that warms up; medians are reported
      --avx auto         or avx2 or avx512: the build of the library
      --json FILE
    verify MODEL.gguf GOLDEN_FOLDER [MODEL.gguf GOLDEN_FOLDER …]
    """;
CultureInfo.CurrentCulture = CultureInfo.InvariantCulture;
var names = args.Skip(1).TakeWhile(argument => !argument.StartsWith("--", StringComparison.Ordinal)).ToArray();
try
{
    var options = new Options(args.Skip(1 + names.Length));
    switch (args.FirstOrDefault())
    {
        case "measure" when names.Length == 2:
            var plan = new Plan(options);
            Library.Load(options.OneOf("--avx", "auto", "avx2", "avx512"));
            var json = options.Text("--json");
            options.RefuseOthers();
            return new Measurement(plan).Run(names[0], names[1], json);
        case "verify" when names.Length > 0 && names.Length % 2 == 0:
            options.RefuseOthers();
            Library.Load("auto");
            // All of them, whatever the first says.
            return names.Chunk(2).Select(pair => Verification.Passes(pair[0], pair[1])).ToList().TrueForAll(passes => passes) ? 0 : 1;
        default:
            throw new FormatException(Usage);
    }
}
catch (Exception exception) when (exception is FormatException or ArgumentException)
{
    Console.Error.WriteLine(exception.Message);
    return 2;
}

/// <summary>What follows the files on the command line: names and values.</summary>
internal sealed class Options(IEnumerable<string> arguments)
{
    private readonly Dictionary<string, string> _values = arguments.Chunk(2).ToDictionary(
        pair => pair[0], pair => pair.Length == 2 ? pair[1] : throw new FormatException($"{pair[0]} has no value."));

    public string? Text(string name) => _values.Remove(name, out var value) ? value : null;

    public string OneOf(string name, params string[] allowed) => (Text(name) ?? allowed[0]) is var value && allowed.Contains(value)
        ? value : throw new FormatException($"{name} is {value}; it must be one of {string.Join(", ", allowed)}.");

    /// <summary>Different numbers from 1 on with commas between them; "none" is no number.</summary>
    public int[] Numbers(string name, int[] defaultValue, int most, bool isOne = false)
    {
        if (Text(name) is not { } text) return defaultValue;
        if (text == "none" && !isOne) return [];
        var numbers = text.Split(',').Select(part => int.TryParse(part, out var number) ? number : 0).Distinct().ToArray();
        return Array.TrueForAll(numbers, number => number >= 1 && number <= most) && (!isOne || numbers.Length == 1) ? numbers
            : throw new FormatException($"{name} is {text}; it must be {(isOne ? "a whole number" : "whole numbers")} from 1 to {most}.");
    }

    /// <summary>To be called when all others have been asked for.</summary>
    public void RefuseOthers()
    {
        if (_values.Count > 0) throw new FormatException($"There is no option {_values.Keys.First()} here.");
    }
}

/// <summary>What is measured.</summary>
internal sealed class Plan(Options options)
{
    public const int ContextTokens = 128;

    /// <summary>Sequences that decode at once.</summary>
    public int[] Batches { get; } = options.Numbers("--batch", [1, 2, 4, 8], 64);

    /// <summary>Lengths of prompts, tokens.</summary>
    public int[] Prompts { get; } = options.Numbers("--prompt", [512], 32768);

    public int[] Threads { get; } = options.Numbers("--threads", [.. new[] { 1, 2, Environment.ProcessorCount }.Distinct()], 1024)
        is { Length: > 0 } threads ? threads : throw new FormatException("--threads is none; one number is needed.");

    /// <summary>Tokens that each sequence decodes in a round.</summary>
    public int DecodeTokens { get; } = options.Numbers("--tokens", [8], 4096, isOne: true)[0];

    /// <summary>After the one that warms up.</summary>
    public int Rounds { get; } = options.Numbers("--rounds", [7], 1000, isOne: true)[0];

    /// <summary>A context that holds all of that.</summary>
    public ContextSize Size => new(
        Batches.DefaultIfEmpty(1).Max(), Math.Max(ContextTokens + DecodeTokens, Prompts.DefaultIfEmpty(1).Max()));
}

/// <summary>How large a context is.</summary>
internal sealed record ContextSize(int Sequences, int SequenceTokens);

/// <summary>How a context computes.</summary>
/// <param name="Flash">Whether attention is its fused one.</param>
/// <param name="PieceTokens">How many tokens of a prompt are computed at once (n_ubatch).</param>
internal sealed record Settings(bool Flash, int PieceTokens);

/// <summary>One model with a context.</summary>
internal sealed class Model : IDisposable
{
    private readonly SafeLlamaModelHandle _model;
    private readonly SafeLLamaContextHandle _context;

    public Model(string path, Settings settings, ContextSize size, bool halfCache = true)
    {
        _model = SafeLlamaModelHandle.LoadFromFile(path, LLamaModelParams.Default());
        var parameters = LLamaContextParams.Default();
        // Each sequence has its share, in multiples of 256.
        parameters.n_ctx = (uint)(size.Sequences * ((size.SequenceTokens + 255) / 256 * 256));
        parameters.n_batch = (uint)Math.Max(size.SequenceTokens, settings.PieceTokens);
        parameters.n_ubatch = (uint)settings.PieceTokens;
        parameters.n_seq_max = (uint)size.Sequences;
        parameters.llama_flash_attn_type = settings.Flash
            ? LLamaFlashAttentionType.LLAMA_FLASH_ATTENTION_TYPE_ENABLED : LLamaFlashAttentionType.LLAMA_FLASH_ATTENTION_TYPE_DISABLED;
        if (!halfCache) parameters.type_k = parameters.type_v = GGMLType.GGML_TYPE_F32;
        _context = SafeLLamaContextHandle.Create(_model, parameters);
    }

    public int Vocabulary => _model.Vocab.Count;

    /// <summary>Most tokens that the file says the model may have.</summary>
    public int MostTokens => _model.ContextSize;

    public void Threads(int count) => _context.GenerationThreads = _context.BatchThreads = count;

    public void Clear() => _context.MemoryClear();

    /// <summary>Drops what lies from a position on.</summary>
    public void Rewind(int sequences, int position)
    {
        for (var i = 0; i < sequences; i++) _context.MemorySequenceRemove((LLamaSeqId)i, position, -1);
    }

    /// <summary>The next token of each of some sequences.</summary>
    public void Decode(int sequences, int position, int token)
    {
        var batch = new LLamaBatch();
        for (var i = 0; i < sequences; i++) batch.Add(Token(token + i), position, (LLamaSeqId)i, logits: true);
        Run(batch);
    }

    /// <summary>Tokens from the beginning of a sequence; logits of the last one.</summary>
    public void Prefill(int sequence, int tokens)
    {
        var batch = new LLamaBatch();
        for (var i = 0; i < tokens; i++) batch.Add(Token(7 * i + 3), i, (LLamaSeqId)sequence, logits: i == tokens - 1);
        Run(batch);
    }

    /// <summary>The logits after each token.</summary>
    public float[][] Logits(IReadOnlyList<int> tokens)
    {
        var batch = new LLamaBatch();
        for (var i = 0; i < tokens.Count; i++) batch.Add(tokens[i], i, (LLamaSeqId)0, logits: true);
        Run(batch);
        return [.. Enumerable.Range(0, tokens.Count).Select(i => _context.GetLogitsIth(i).ToArray())];
    }

    public void Dispose()
    {
        _context.Dispose();
        _model.Dispose();
    }

    private LLamaToken Token(int number) => number % Vocabulary;

    private void Run(LLamaBatch batch)
    {
        if (_context.Decode(batch) is not DecodeResult.Ok and var failure) throw new InvalidOperationException($"llama_decode: {failure}");
        _context.Synchronize();
    }
}

/// <summary>Times both models in turn.</summary>
internal sealed class Measurement(Plan plan)
{
    private static readonly JsonSerializerOptions s_json = new() { PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower };

    public int Run(string reference, string aligned, string? json)
    {
        Console.WriteLine(Library.Description);
        var results = new List<Result>();
        if (plan.Batches.Length > 0 || plan.Prompts.Length > 0) results.AddRange(Group(reference, aligned, 512, plan.Batches));
        if (plan.Prompts.Length > 0) results.AddRange(Group(reference, aligned, 128, []));
        Print(results);
        if (json is null) return 0;
        var report = new { Library = Library.Description, plan.Rounds, Results = results };
        File.WriteAllText(json, JsonSerializer.Serialize(report, s_json));
        return 0;
    }

    /// <summary>All that is measured with one n_ubatch, which decoding does not depend on.</summary>
    private List<Result> Group(string reference, string aligned, int pieceTokens, int[] batches)
    {
        Settings[] group = [new(false, pieceTokens), new(true, pieceTokens)];
        Console.Error.WriteLine($"loading both models with flash attention off and on, n_ubatch {pieceTokens}");
        // Those that are compared run round by round, so that what else the machine does falls on both.
        var pairs = group.Select(settings =>
            new[] { new Model(reference, settings, plan.Size), new Model(aligned, settings, plan.Size) }).ToArray();
        var results = new List<Result>();
        foreach (var batch in batches)
            results.AddRange(Compare("decode", batch, group, pairs, DecodeSeconds(batch), models => Fill(models, batch)));
        foreach (var tokens in plan.Prompts) results.AddRange(Compare("prefill", tokens, group, pairs, PrefillSeconds(tokens), _ => { }));
        foreach (var model in pairs.SelectMany(pair => pair)) model.Dispose();
        return results;
    }

    private IEnumerable<Result> Compare(
        string what, int tokens, Settings[] settings, Model[][] pairs, Func<Model[], double> seconds, Action<Model[]> prepare)
    {
        var times = settings.SelectMany((_, at) => plan.Threads.Select(threads => (At: at, Threads: threads)))
            .ToDictionary(setting => setting, _ => new List<double>());
        foreach (var pair in pairs) prepare(pair);
        // The first round warms up.
        for (var round = 0; round <= plan.Rounds; round++)
            foreach (var ((at, threads), list) in times)
            {
                foreach (var model in pairs[at]) model.Threads(threads);
                var time = seconds(pairs[at]);
                Console.Error.WriteLine($"{what} {tokens}, threads {threads}, flash attention {(settings[at].Flash ? "on" : "off")}, "
                    + $"n_ubatch {settings[at].PieceTokens}, round {round} of {plan.Rounds}: {1000 * time:N1} ms");
                if (round > 0) list.Add(time);
            }
        foreach (var ((at, threads), list) in times)
        {
            list.Sort();
            var median = list[list.Count / 2];
            yield return new Result(what, tokens, threads, settings[at].Flash, settings[at].PieceTokens, median, tokens / median);
        }
    }

    private void Fill(Model[] models, int batch)
    {
        Console.Error.WriteLine($"reading {batch} × {Plan.ContextTokens} tokens of context");
        foreach (var model in models)
        {
            model.Clear();
            model.Threads(plan.Threads[^1]);
            for (var sequence = 0; sequence < batch; sequence++) model.Prefill(sequence, Plan.ContextTokens);
        }
    }

    /// <summary>Seconds of a step: the reference model decodes the batch, then the aligned one.</summary>
    private Func<Model[], double> DecodeSeconds(int batch) => models =>
    {
        var start = Stopwatch.GetTimestamp();
        for (var step = 0; step < plan.DecodeTokens; step++)
            foreach (var model in models) model.Decode(batch, Plan.ContextTokens + step, 31 * step);
        var time = Stopwatch.GetElapsedTime(start).TotalSeconds / plan.DecodeTokens;
        foreach (var model in models) model.Rewind(batch, Plan.ContextTokens);
        return time;
    };

    private static Func<Model[], double> PrefillSeconds(int tokens) => models =>
    {
        foreach (var model in models) model.Clear();
        var start = Stopwatch.GetTimestamp();
        foreach (var model in models) model.Prefill(0, tokens);
        return Stopwatch.GetElapsedTime(start).TotalSeconds;
    };

    private static void Print(List<Result> results)
    {
        Console.WriteLine("| | tokens | threads | flash attention | n_ubatch | ms | tokens/s of the pair |");
        Console.WriteLine("|---|---|---|---|---|---|---|");
        var best = results.GroupBy(result => (result.What, result.Tokens)).Select(group => group.MaxBy(result => result.TokensPerSecond)!);
        foreach (var result in results)
            Console.WriteLine($"| {result.What} | {result.Tokens} | {result.Threads} | {(result.FlashAttention ? "on" : "off")} "
                + $"| {result.MicroBatch} | {1000 * result.Seconds:N2} | {result.TokensPerSecond:N1}"
                + $"{(best.Contains(result) ? " (best)" : "")} |");
    }

    /// <summary>One setting's median.</summary>
    private sealed record Result(
        string What, int Tokens, int Threads, bool FlashAttention, int MicroBatch, double Seconds, double TokensPerSecond);
}

/// <summary>Compares logits with the float64 ones of a golden checkpoint, of which the model is the export in float32.</summary>
internal static class Verification
{
    /// <summary>What float32 may differ by, and where activations come from a table in float16.</summary>
    private const double Bound = 1e-4, BoundWithTable = 1e-2;

    public static bool Passes(string path, string folder)
    {
        using var golden = JsonDocument.Parse(File.ReadAllBytes(Path.Combine(folder, "golden", "golden.json")));
        var root = golden.RootElement;
        var bound = root.GetProperty("model_type").GetString() is "gpt2" or "gpt_neox" or "gemma2" ? BoundWithTable : Bound;
        using var model = new Model(path, new Settings(Flash: false, 512), new ContextSize(1, 640), halfCache: false);
        var (worst, position, compared) = (0.0, "", 0);
        foreach (var item in root.GetProperty("cases").EnumerateArray())
        {
            int[] tokens = [.. Integers(item, "input_ids"), .. Integers(item, "greedy_ids")];
            var logits = item.GetProperty("logits");
            var width = logits.GetProperty("shape")[1].GetInt32();
            var rows = Math.Min(logits.GetProperty("shape")[0].GetInt32(), model.MostTokens);
            compared += rows;
            var expected = MemoryMarshal.Cast<byte, double>(
                File.ReadAllBytes(Path.Combine(folder, "golden", logits.GetProperty("file").GetString()!)));
            model.Clear();
            var actual = model.Logits(tokens[..rows]);
            for (var i = 0; i < rows * width; i++)
                if (Math.Abs(actual[i / width][i % width] - expected[i]) is var difference && !(difference <= worst))
                    (worst, position) = (difference, $"{item.GetProperty("name").GetString()}, token {i / width}");
        }
        Console.WriteLine($"{path}: {(worst <= bound ? "passed" : "FAILED")}, {compared} positions, "
            + $"largest difference {worst:E2} of {bound:E2} allowed ({position})");
        return worst <= bound;
    }

    private static IEnumerable<int> Integers(JsonElement item, string name) =>
        item.GetProperty(name).EnumerateArray().Select(id => id.GetInt32());
}

/// <summary>Which llama.cpp runs.</summary>
internal static unsafe class Library
{
    public static void Load(string avx)
    {
        NativeLibraryConfig.All.WithLogCallback((_, _) => { });
        // Without fallback only what it would prefer is tried, and that is CUDA.
        if (avx != "auto")
            NativeLibraryConfig.All.WithCuda(false).WithVulkan(false)
                .WithAvx(avx == "avx2" ? AvxLevel.Avx2 : AvxLevel.Avx512).WithAutoFallback(false);
        NativeApi.llama_empty_call();
    }

    public static string Description =>
        $"llama.cpp {Text("ggml-base", "ggml_commit")} (ggml {Text("ggml-base", "ggml_version")}) of LLamaSharp 0.30.0, variant "
        + $"{Path.GetFileName(Path.GetDirectoryName(Find("ggml-cpu")))}, OMP_WAIT_POLICY "
        + $"{Environment.GetEnvironmentVariable("OMP_WAIT_POLICY") ?? "unset"}; "
        + Marshal.PtrToStringUTF8(NativeApi.llama_print_system_info())?.Trim();

    /// <summary>What a function without arguments says.</summary>
    private static string Text(string library, string function)
    {
        var export = NativeLibrary.GetExport(NativeLibrary.Load(Find(library)), function);
        return Marshal.PtrToStringUTF8(((delegate* unmanaged[Cdecl]<nint>)export)()) ?? "";
    }

    private static string Find(string name) => Process.GetCurrentProcess().Modules.Cast<ProcessModule>()
        .Select(module => module.FileName).First(path => Path.GetFileName(path).Contains(name, StringComparison.Ordinal));
}
