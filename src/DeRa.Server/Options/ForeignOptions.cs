namespace DeRa.Server.Options;

/// <summary>What options of other servers (vLLM, TGI, SGLang, llama.cpp) are called here, for those who come from there.</summary>
internal static class ForeignOptions
{
    private const string Models = "--reference MODEL and --aligned MODEL name the two models";

    private const string OneDevice = "a model lies on one device, which --device chooses";

    private const string OwnDrafts = "the pair's models guess for each other, as --speculation says";

    /// <summary>What to use instead; null = no such option is known.</summary>
    /// <param name="name">The option as it was written, without the dashes before it.</param>
    public static string? Instead(string name) => name.ToLowerInvariant().Replace('_', '-') switch
    {
        "port" => Use("http-port"),
        "hostname" or "listen" or "bind" or "address" or "ip" => Use("host"),
        "m" or "model" or "model-id" or "model-path" or "model-dir" or "hf" or "hf-repo" or "hf-model" or "base-model" => Models,
        "lora" or "lora-adapter" or "lora-adapters" or "lora-modules" or "lora-paths" or "enable-lora" or "peft-model" => Use("aligned"),
        "revision" or "model-revision" or "hf-revision" => "a revision is part of the model's name, ORGANISATION/NAME@REVISION",
        "served-model-name" or "model-name" or "alias" or "a" => Use("name"),
        "c" or "ctx" or "n-ctx" or "ctx-size" or "context-size" or "max-model-len" or "max-seq-len" or "max-total-tokens"
            or "max-context-length" => Use("context-length"),
        "torch-dtype" or "data-type" or "precision" => Use("dtype"),
        "kv-cache-dtype" or "cache-type-k" or "ctk" or "cache-type-v" or "ctv" => Use("cache-dtype"),
        "t" or "num-threads" or "cpu-threads" or "threads-batch" => Use("threads"),
        "max-num-seqs" or "max-running-requests" or "np" or "parallel" or "max-batch-size" => Use("max-running"),
        "max-num-batched-tokens" or "max-batch-total-tokens" or "max-batch-prefill-tokens" or "chunked-prefill-size" or "b"
            or "batch-size" or "ub" or "ubatch-size" => Use("max-batch-tokens"),
        "max-queued-requests" or "max-waiting-requests" or "max-num-waiting" => Use("max-queued"),
        "gpu-memory-utilization" or "mem-fraction-static" or "cuda-memory-fraction" or "kv-cache-memory" or "kv-cache-memory-bytes"
            or "num-gpu-blocks-override" or "cpu-kvcache-space" => Use("cache-tokens"),
        "tensor-parallel-size" or "tp" or "tp-size" or "pipeline-parallel-size" or "pp" or "pp-size" or "data-parallel-size"
            or "dp" or "dp-size" or "num-shard" or "sharded" or "tensor-split" or "split-mode" => OneDevice,
        "ngl" or "gpu-layers" or "n-gpu-layers" or "main-gpu" => OneDevice,
        "speculate" or "speculative-config" or "speculative-model" or "num-speculative-tokens" or "speculative-algorithm"
            or "speculative-draft-model-path" or "speculative-num-steps" or "speculative-num-draft-tokens" or "md" or "model-draft"
            or "draft" or "draft-max" or "draft-n" => OwnDrafts,
        "enable-prefix-caching" or "no-enable-prefix-caching" or "enable-radix-cache" or "disable-radix-cache" or "cache-prompt"
            or "no-cache-prompt" => Use("prefix-cache"),
        "ssl-certfile" or "ssl-cert-file" => Use("tls-certificate"),
        "ssl-keyfile" or "ssl-key-file" => Use("tls-key"),
        "ssl-keyfile-password" => Use("tls-password"),
        "api-key-file" => Use("api-keys"),
        "allowed-origins" or "allow-origins" or "cors-allow-origin" or "cors-allowed-origins" => Use("cors-origins"),
        "max-client-batch-size" => Use("max-prompts"),
        "max-stop-sequences" => Use("max-stop-strings"),
        "max-top-n-tokens" => Use("max-logprobs"),
        "payload-limit" => Use("max-body-bytes"),
        "timeout" or "request-timeout" => Use("request-timeout-seconds"),
        "shutdown-timeout" or "graceful-timeout" => Use("drain-seconds"),
        "uvicorn-log-level" or "logging-level" or "log-verbosity" or "verbosity" or "verbose" or "v" or "debug" => Use("log-level"),
        "disable-log-requests" or "enable-log-requests" or "no-enable-log-requests" or "disable-uvicorn-access-log"
            or "access-log" or "no-access-log" => Use("log-requests"),
        "json-output" => Use("log-format"),
        "otlp-endpoint" or "otlp-traces-endpoint" => "the variable OTEL_EXPORTER_OTLP_ENDPOINT says where telemetry goes",
        "download-dir" or "huggingface-hub-cache" => "the variable HF_HUB_CACHE says where models from the Hub lie",
        "hf-token" or "hft" => "the variable HF_TOKEN holds the token for the Hub",
        "trust-remote-code" => "code that comes with a model never runs here",
        "seed" or "temperature" or "strength" or "alignment-strength" or "lambda" => "each request has its own",
        _ => null,
    };

    private static string Use(string option) => $"here it is --{option}";
}
