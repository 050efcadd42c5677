#:package LLamaSharp@0.30.0
#:package LLamaSharp.Backend.Cpu@0.30.0
#:property ManagePackageVersionsCentrally=false
#:property AllowUnsafeBlocks=true
#:property PublishAot=false
#:property AssemblyName=llama-cpp
#:property JsonSerializerIsReflectionEnabledByDefault=true

// llama.cpp's library on the CPU, on the same weights as DeRa: how fast it runs a pair, and whether its logits are the golden ones.
//   dotnet run deploy/benchmarks/llama_cpp.cs -- measure REFERENCE.gguf ALIGNED.gguf [--rounds 7] [--avx auto|avx2|avx512] [--json FILE]
//   dotnet run deploy/benchmarks/llama_cpp.cs -- verify MODEL.gguf GOLDEN_FOLDER [MODEL.gguf GOLDEN_FOLDER …]

using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;
using System.Text.Json;
using LLama.Native;

CultureInfo.CurrentCulture = CultureInfo.InvariantCulture;
var names = args.Skip(1).TakeWhile(argument => !argument.StartsWith("--", StringComparison.Ordinal)).ToArray();
var avx = Option("--avx", "auto");
NativeLibraryConfig.All.WithLogCallback((_, _) => { });
if (avx != "auto") NativeLibraryConfig.All.WithAvx(avx == "avx2" ? AvxLevel.Avx2 : AvxLevel.Avx512).WithAutoFallback(false);
switch (args.FirstOrDefault())
{
    case "measure" when names.Length == 2:
        NativeApi.llama_empty_call();
        return Measurement.Run(names[0], names[1], int.Parse(Option("--rounds", "7"), CultureInfo.InvariantCulture), Option("--json", ""));
    case "verify" when names.Length > 0 && names.Length % 2 == 0:
        NativeApi.llama_empty_call();
        // All of them, whatever the first says.
        return names.Chunk(2).Select(pair => Verification.Passes(pair[0], pair[1])).ToList().TrueForAll(passes => passes) ? 0 : 1;
    default:
        Console.Error.WriteLine("Usage: measure REFERENCE.gguf ALIGNED.gguf [--rounds N] [--avx auto|avx2|avx512] [--json FILE]"
            + " | verify MODEL.gguf GOLDEN_FOLDER …");
        return 2;
}

string Option(string name, string defaultValue) =>
    Array.IndexOf(args, name) is >= 0 and var at && at + 1 < args.Length ? args[at + 1] : defaultValue;

/// <summary>How a context computes.</summary>
/// <param name="Flash">Whether attention is its fused one.</param>
/// <param name="PieceTokens">How many tokens of a prompt are computed at once (n_ubatch).</param>
internal sealed record Settings(bool Flash, int PieceTokens);

/// <summary>One model with a context.</summary>
internal sealed class Model : IDisposable
{
    public const int MostSequences = 8, ContextTokens = 128, PromptTokens = 512, SequenceTokens = 640;

    private readonly SafeLlamaModelHandle _model;
    private readonly SafeLLamaContextHandle _context;

    public Model(string path, Settings settings, bool halfCache = true, int sequences = MostSequences)
    {
        _model = SafeLlamaModelHandle.LoadFromFile(path, LLamaModelParams.Default());
        var parameters = LLamaContextParams.Default();
        parameters.n_ctx = (uint)(sequences * SequenceTokens);
        parameters.n_batch = PromptTokens;
        parameters.n_ubatch = (uint)settings.PieceTokens;
        parameters.n_seq_max = (uint)sequences;
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
internal static class Measurement
{
    private const int DecodeSteps = 8;
    private static readonly int[] Batches = [1, 2, 4, 8];
    private static readonly int[] ThreadCounts = [.. new[] { 1, 2, Environment.ProcessorCount }.Distinct()];
    private static readonly JsonSerializerOptions s_json = new() { PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower };

    public static int Run(string reference, string aligned, int rounds, string json)
    {
        Console.WriteLine(Library.Description);
        Settings[] all = [new(false, 512), new(true, 512), new(false, 128), new(true, 128)];
        var results = new List<Result>();
        foreach (var group in all.Chunk(2))
        {
            // Those that are compared run round by round, so that what else the machine does falls on both.
            var pairs = group.Select(settings => new[] { new Model(reference, settings), new Model(aligned, settings) }).ToArray();
            if (group[0].PieceTokens == 512)
                foreach (var batch in Batches)
                    results.AddRange(Compare("decode", batch, group, pairs, rounds, DecodeSeconds(batch), models => Fill(models, batch)));
            results.AddRange(Compare("prefill", Model.PromptTokens, group, pairs, rounds, PrefillSeconds, _ => { }));
            foreach (var model in pairs.SelectMany(pair => pair)) model.Dispose();
        }
        Print(results);
        if (json == "") return 0;
        var report = new { Library = Library.Description, Rounds = rounds, Results = results };
        File.WriteAllText(json, JsonSerializer.Serialize(report, s_json));
        return 0;
    }

    private static IEnumerable<Result> Compare(
        string what, int tokens, Settings[] settings, Model[][] pairs, int rounds, Func<Model[], double> seconds, Action<Model[]> prepare)
    {
        var times = settings.SelectMany((_, at) => ThreadCounts.Select(threads => (At: at, Threads: threads)))
            .ToDictionary(setting => setting, _ => new List<double>());
        foreach (var pair in pairs) prepare(pair);
        // The first round warms up.
        for (var round = 0; round <= rounds; round++)
        {
            Console.Error.WriteLine($"{what} {tokens}, n_ubatch {settings[0].PieceTokens}: round {round} of {rounds}");
            foreach (var ((at, threads), list) in times)
            {
                foreach (var model in pairs[at]) model.Threads(threads);
                var time = seconds(pairs[at]);
                if (round > 0) list.Add(time);
            }
        }
        foreach (var ((at, threads), list) in times)
        {
            list.Sort();
            var median = list[list.Count / 2];
            yield return new Result(what, tokens, threads, settings[at].Flash, settings[at].PieceTokens, median, tokens / median);
        }
    }

    private static void Fill(Model[] models, int batch)
    {
        foreach (var model in models)
        {
            model.Clear();
            model.Threads(ThreadCounts[^1]);
            for (var sequence = 0; sequence < batch; sequence++) model.Prefill(sequence, Model.ContextTokens);
        }
    }

    /// <summary>Seconds of a step: the reference model decodes the batch, then the aligned one.</summary>
    private static Func<Model[], double> DecodeSeconds(int batch) => models =>
    {
        var start = Stopwatch.GetTimestamp();
        for (var step = 0; step < DecodeSteps; step++)
            foreach (var model in models) model.Decode(batch, Model.ContextTokens + step, 31 * step);
        var time = Stopwatch.GetElapsedTime(start).TotalSeconds / DecodeSteps;
        foreach (var model in models) model.Rewind(batch, Model.ContextTokens);
        return time;
    };

    private static double PrefillSeconds(Model[] models)
    {
        foreach (var model in models) model.Clear();
        var start = Stopwatch.GetTimestamp();
        foreach (var model in models) model.Prefill(0, Model.PromptTokens);
        return Stopwatch.GetElapsedTime(start).TotalSeconds;
    }

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
        using var model = new Model(path, new Settings(Flash: false, Model.PromptTokens), halfCache: false, sequences: 1);
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
