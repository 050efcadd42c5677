using DeRa.Engine;
using DeRa.Hosting.Options;
using DeRa.Hosting.Security;
using DeRa.Serving.Loading;
using DeRa.Serving.Requests;
using DeRa.Torch.Execution;
using DeRa.Torch.Native;

namespace DeRa.Server.Options;

/// <summary>
/// All that can be set at start: read once (<see cref="OptionReader"/>), never changed. Each option is declared here and
/// nowhere else; its attribute is its documentation.
/// </summary>
internal sealed record ServerOptions
{
    [Option("The reference model (strength 0): a folder in Hugging Face layout, or a name on the Hub, ORGANISATION/NAME or "
        + "ORGANISATION/NAME@REVISION; needs --aligned.", Placeholder = "MODEL", DefaultText = "the default pair's")]
    public string? Reference { get; init; }

    [Option("An aligned model (strength 1): a folder or a name on the Hub; a whole model, the reference again, or a LoRA adapter over the "
        + "reference (PEFT). Several may be given, each with a name by which requests give it a strength: helpful=MODEL.",
        Placeholder = "MODEL", DefaultText = "the default pair's")]
    public IReadOnlyList<string> Aligned { get; init; } = [];

    [Option("Name under which the pair is served.", Placeholder = "NAME",
        DefaultText = $"the first aligned model's last part; the default pair's is {PairFolders.DefaultName}")]
    public string? Name { get; init; }

    [Option("Address to listen on: an IP address, or localhost. 0.0.0.0 lets other machines in.", Placeholder = "ADDRESS")]
    public string Host { get; init; } = "127.0.0.1";

    [Option("Port for HTTP; 0 = any free one.", Low = 0, High = 65535)]
    public int HttpPort { get; init; } = 8080;

    [Option("Port for gRPC; 0 = any free one.", Low = 0, High = 65535)]
    public int GrpcPort { get; init; } = 8081;

    [Option("Where the models run: auto (CUDA where there is one, else CPU), cpu, cuda, cuda:i, or two of these separated by a comma, "
        + "the reference model's first.", Placeholder = "DEVICE")]
    public string Device { get; init; } = "auto";

    [Option("Number format of the weights: auto (on a CPU float32 where the models fit into memory so, else the checkpoint's), float32, bfloat16 or float16.", Placeholder = "DTYPE")]
    public string Dtype { get; init; } = "auto";

    [Option("Folder of an existing libtorch (such as a PyTorch installation's torch/lib).", Placeholder = "FOLDER",
        DefaultText = "the one that comes with the server")]
    public string? Libtorch { get; init; }

    [Option("Threads for CPU computation.", Low = 1, High = 1024, DefaultText = "one for each physical core")]
    public int? Threads { get; init; }

    [Option("Most tokens of a sequence, prompt and output together.", Low = 1, High = 1 << 24, DefaultText = "what the models allow")]
    public int? ContextLength { get; init; }

    [Option("Tokens that the cache holds, over all sequences; both models' caches hold as many.", Low = 1, High = 1 << 30,
        DefaultText = "what fits into memory")]
    public int? CacheTokens { get; init; }

    [Option("Sequences that run at once.", Low = 1, High = 4096)]
    public int MaxRunning { get; init; } = Engine.MaxRunningSequences;

    [Option("Tokens that one step runs; at least max-running.", Low = 1, High = 1 << 20)]
    public int MaxBatchTokens { get; init; } = Engine.MaxBatchTokens;

    [Option("Sequences that may wait for a place; more are refused.", Low = 1, High = 1 << 20)]
    public int MaxQueued { get; init; } = Engine.MaxQueuedSequences;

    [Option("Prompt tokens that may wait; more are refused.", Low = 1, High = 1 << 30)]
    public long MaxQueuedTokens { get; init; } = Engine.MaxQueuedTokens;

    [Option("Lowest alignment strength that a request may ask for.", Low = -1000, High = 0)]
    public double MinStrength { get; init; } = Limits.MinStrength;

    [Option("Highest alignment strength that a request may ask for.", Low = 1, High = 1000)]
    public double MaxStrength { get; init; } = Limits.MaxStrength;

    [Option("Prompts in a request.", Low = 1, High = 4096)]
    public int MaxPrompts { get; init; } = Limits.MaxPrompts;

    [Option("Choices for each prompt (n).", Low = 1, High = 4096)]
    public int MaxChoices { get; init; } = Limits.MaxChoices;

    [Option("Stop strings in a request.", Low = 0, High = 1024)]
    public int MaxStopStrings { get; init; } = Limits.MaxStopStrings;

    [Option("Length of a stop string, in UTF-8 bytes.", Low = 1, High = 65536)]
    public int MaxStopStringBytes { get; init; } = Limits.MaxStopStringBytes;

    [Option("Entries of logit_bias.", Low = 0, High = 1 << 20)]
    public int MaxLogitBiasEntries { get; init; } = Limits.MaxLogitBiasEntries;

    [Option("Entries of allowed_token_ids.", Low = 1, High = 1 << 20)]
    public int MaxAllowedTokens { get; init; } = Limits.MaxAllowedTokens;

    [Option("Entries of stop_token_ids.", Low = 0, High = 65536)]
    public int MaxStopTokens { get; init; } = Limits.MaxStopTokens;

    [Option("Entries of bad_words, each as long as a stop string may be.", Low = 0, High = 65536)]
    public int MaxBadWords { get; init; } = Limits.MaxBadWords;

    [Option("Candidates for each prompt (best_of).", Low = 1, High = 4096)]
    public int MaxBestOf { get; init; } = Limits.MaxBestOf;

    [Option("Alternatives reported with each token (logprobs, top_logprobs, prompt_logprobs).", Low = 0, High = 1024)]
    public int MaxLogprobs { get; init; } = Limits.MaxLogProbs;

    [Option("Whether fields that nobody knows are refused, not ignored and listed in a header.")]
    public bool StrictFields { get; init; }

    [Option("Size of a request, in bytes.", Low = 1024, High = 1 << 30)]
    public int MaxBodyBytes { get; init; } = 4 << 20;

    [Option("Bytes of requests that may be held at once between their arrival and their encoding, over all clients, at least max-body-bytes; "
        + "more are refused (503). One key may hold half of them.", Low = 1024, High = 1L << 40, DefaultText = "16 times max-body-bytes")]
    public long? MaxPendingBodyBytes { get; init; }

    [Option("Nesting of a request's JSON.", Low = 8, High = 1024)]
    public int MaxJsonDepth { get; init; } = 64;

    [Option("Connections that may be open at once, over both ports; more wait until one is closed. Fewer where the limit of open files "
        + "(ulimit -n) leaves fewer beyond 320, which are kept for other things.", Low = 1, High = 1 << 20)]
    public int MaxConnections { get; init; } = 4096;

    [Option("Size of a request's headers together, in bytes.", Low = 1024, High = 1 << 20)]
    public int MaxHeaderBytes { get; init; } = 32 << 10;

    [Option("Headers of a request.", Low = 8, High = 1024)]
    public int MaxHeaders { get; init; } = 100;

    [Option("Seconds that a client may take to send a request's headers.", Low = 1, High = 3600)]
    public int HeaderSeconds { get; init; } = 30;

    [Option("Seconds that a client may take to send a request's body; request-timeout-seconds, where it is less, counts here too.",
        Low = 1, High = 3600)]
    public int BodySeconds { get; init; } = 60;

    [Option("Seconds for which a connection may stay open with nothing under way.", Low = 1, High = 86400)]
    public int KeepAliveSeconds { get; init; } = 130;

    [Option("File of API keys, one a line: NAME HASH, then rate=N/min and concurrent=N where that key's limits differ; 'dera key NAME' "
        + "makes a key and its line. Read again when it changes. Where there are keys, everything but /livez, /readyz and /health needs one.",
        Placeholder = "FILE", DefaultText = "no keys")]
    public string? ApiKeys { get; init; }

    [Option("One API key, under the name 'default', beside those of the file; at least 16 characters.", Placeholder = "KEY")]
    public Secret? ApiKey { get; init; }

    [Option("Requests that generate, tokenize or detokenize which a key may send in a minute; without keys, all clients together.",
        Low = 1, High = RequestLimiting.MaxLimit, DefaultText = "any number")]
    public int? MaxRequestsPerMinute { get; init; }

    [Option("Requests that generate, tokenize or detokenize which a key may have under way at once; without keys, all clients together.",
        Low = 1, High = RequestLimiting.MaxLimit, DefaultText = "any number")]
    public int? MaxConcurrentRequests { get; init; }

    [Option("Certificate for TLS on both ports, with its intermediates: PEM, then with --tls-key, or PKCS#12. Read again when it changes.",
        Placeholder = "FILE", DefaultText = "no TLS")]
    public string? TlsCertificate { get; init; }

    [Option("The certificate's private key, PEM.", Placeholder = "FILE")]
    public string? TlsKey { get; init; }

    [Option("Opens an encrypted --tls-key or PKCS#12 file.")]
    public Secret? TlsPassword { get; init; }

    [Option("Origin of web pages that may call the server, such as https://chat.example.com; several may be given; * is any.",
        Placeholder = "ORIGIN", DefaultText = "none")]
    public IReadOnlyList<string> CorsOrigins { get; init; } = [];

    [Option("Host name under which the server answers, such as api.example.com or *.example.com; several may be given; * is any.",
        Placeholder = "NAME", DefaultText = "localhost and its addresses while listening on loopback, else any")]
    public IReadOnlyList<string> AllowedHosts { get; init; } = [];

    [Option("Seconds for which a single step may keep the engine's heart from beating before /livez fails.", Low = 1, High = 86400)]
    public int MaxStepSeconds { get; init; } = 300;

    [Option("Seconds that running requests may go on for after the server was told to stop.", Low = 0, High = 86400)]
    public int DrainSeconds { get; init; } = 30;

    [Option("Seconds that a request may take, waiting included; one that takes longer is ended.", Low = 1, High = 86400,
        DefaultText = "as long as it takes")]
    public int? RequestTimeoutSeconds { get; init; }

    [Option("Seconds for which a client may take nothing of what is sent to it before it is disconnected.", Low = 2, High = 86400)]
    public int SlowReaderSeconds { get; init; } = 60;

    [Option("Form of log lines: text or json.", Placeholder = "FORM")]
    public string LogFormat { get; init; } = TextLog;

    [Option($"Log lines from which level on: {LogLevels.Allowed}. Of the web framework's own only warnings and errors: others may hold what "
        + "clients send.", Placeholder = "LEVEL")]
    public string LogLevel { get; init; } = "info";

    [Option("Whether each request is a log line, without its content; probes and scrapes that go well are one at the level debug only.")]
    public bool LogRequests { get; init; } = true;

    [Option("Puts the text of prompts and answers on traces.")]
    public bool CaptureContent { get; init; }

    [Option("JSON file with options, by the names in this list.", Placeholder = "FILE", DefaultText = "none")]
    public string? Config { get; init; }

    /// <summary>The standard variables of OpenTelemetry (<c>OTEL_…</c>), which say where telemetry goes; empty = nowhere.</summary>
    public IReadOnlyDictionary<string, string?> OpenTelemetry { get; init; } = new Dictionary<string, string?>();

    /// <summary>Bytes of requests that are held at once.</summary>
    public long PendingBodyBytes => MaxPendingBodyBytes ?? 16L * MaxBodyBytes;

    /// <summary>Whether log lines are JSON.</summary>
    public bool LogsJson => LogFormat == JsonLog;

    /// <summary>The name under which the pair is served.</summary>
    /// <exception cref="FormatException">An aligned model's name is missing.</exception>
    public string ServedName => Name
        ?? (Aligned.Count == 0 ? PairFolders.DefaultName : LastPart(PairFolders.ParseAligned(Aligned)[0].Path));

    /// <summary>Whether the pair that comes with the server is served.</summary>
    public bool IsDefaultPair => Reference is null && Aligned.Count == 0;

    /// <summary>The engine's part of the options.</summary>
    public EngineOptions ToEngineOptions() => new()
    {
        MaxRunningSequences = MaxRunning,
        MaxBatchTokens = MaxBatchTokens,
        MaxQueuedSequences = MaxQueued,
        MaxQueuedTokens = MaxQueuedTokens,
        ModelName = ServedName,
    };

    /// <summary>The validator's part of the options.</summary>
    public RequestLimits ToRequestLimits() => new()
    {
        MinStrength = MinStrength,
        MaxStrength = MaxStrength,
        MaxPrompts = MaxPrompts,
        MaxChoices = MaxChoices,
        MaxStopStrings = MaxStopStrings,
        MaxStopStringBytes = MaxStopStringBytes,
        MaxLogitBiasEntries = MaxLogitBiasEntries,
        MaxAllowedTokens = MaxAllowedTokens,
        MaxStopTokens = MaxStopTokens,
        MaxBadWords = MaxBadWords,
        MaxBestOf = MaxBestOf,
        MaxLogProbs = MaxLogprobs,
        MaxDuration = RequestTimeoutSeconds is { } seconds ? TimeSpan.FromSeconds(seconds) : null,
    };

    /// <summary>The loader's part of the options.</summary>
    /// <exception cref="FormatException">
    /// The device or the number format is none of the allowed ones, or <see cref="PairFolders.Choose(string, IReadOnlyList{string})"/> finds no pair.
    /// </exception>
    public ServedPairOptions ToServedPairOptions() => ToServedPairOptions(PairFolders.Choose(Reference, Aligned));

    private ServedPairOptions ToServedPairOptions(PairFolders folders) => new()
    {
        Names = new ServedNames(ServedName, [.. folders.Aligned.Select(model => model.Name)]),
        Models = new PairOptions
        {
            ReferencePath = folders.Reference,
            Aligned = folders.Aligned,
            Device = DeviceOption.Parse(Device),
            DType = DTypeOption.Parse(Dtype),
            LibTorch = new LibTorchOptions { Directory = Libtorch, Threads = Threads },
            ContextTokens = ContextLength,
            CacheTokens = CacheTokens,
        },
        Engine = ToEngineOptions(),
        Limits = ToRequestLimits(),
    };

    /// <summary>Of a folder its own name, of a name on the Hub what stands after the organisation and before the revision.</summary>
    private static string LastPart(string model) =>
        Directory.Exists(model) ? new DirectoryInfo(model).Name : model.Split('@')[0].Split('/')[^1];

    /// <summary>Log lines for people.</summary>
    internal const string TextLog = "text";

    /// <summary>Log lines for programs.</summary>
    internal const string JsonLog = "json";

    private static EngineOptions Engine { get; } = new();

    private static RequestLimits Limits { get; } = new();
}
