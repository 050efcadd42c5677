using System.Text.Json;

namespace DeRa.Hub;

/// <summary>Which of a repository's files a model or an adapter needs. Pickles, other formats and other folders never.</summary>
internal static class ModelFiles
{
    private const string Config = "config.json", AdapterConfig = "adapter_config.json";
    private const string Weights = "model.safetensors", AdapterWeights = "adapter_model.safetensors";

    /// <summary>Names the shards of weights that do not lie in one file.</summary>
    public const string Index = "model.safetensors.index.json";

    private static readonly string[] Small =
    [
        Config, AdapterConfig, "generation_config.json", "tokenizer.json", "tokenizer.model", "tokenizer_config.json",
        "special_tokens_map.json", "added_tokens.json", "chat_template.jinja", "chat_template.json",
    ];

    /// <summary>The files to get first: all but the shards, which only the index names.</summary>
    /// <param name="name">The model, for messages.</param>
    /// <param name="names">What the repository holds.</param>
    /// <param name="withWeights">False: configuration and tokenizer only.</param>
    /// <exception cref="HubException">It holds no model that can be loaded.</exception>
    public static IReadOnlyList<string> First(HubName name, IReadOnlyCollection<string> names, bool withWeights)
    {
        if (!names.Contains(Config) && !names.Contains(AdapterConfig))
            throw new HubException($"'{name}' has neither {Config} nor {AdapterConfig}: it is not a model in Hugging Face layout.");
        var small = Small.Where(names.Contains);
        return withWeights ? [.. small, WeightsOf(name, names)] : [.. small];
    }

    /// <summary>Files that an index may name.</summary>
    public static IEnumerable<string> Shards(IEnumerable<string> names) => names.Where(IsPlain);

    /// <summary>What a cached snapshot lacks of a loadable model; empty where it is whole.</summary>
    public static IReadOnlyList<string> Missing(string snapshot, bool withWeights)
    {
        if (Has(AdapterConfig) && !Has(Weights) && !Has(Index)) return Lacking(withWeights ? [AdapterWeights] : []);
        var tokenizer = Has("tokenizer.model") ? "tokenizer.model" : "tokenizer.json";
        if (!withWeights) return Lacking([Config, tokenizer]);
        return Lacking([Config, tokenizer, .. Has(Index) && !Has(Weights) ? ReadIndex(Path.Combine(snapshot, Index)) : [Weights]]);

        bool Has(string file) => CachedRepository.LengthOf(Path.Combine(snapshot, file)) is not null;

        IReadOnlyList<string> Lacking(IEnumerable<string> files) => [.. files.Where(file => !Has(file))];
    }

    /// <summary>The shards that an index names.</summary>
    /// <exception cref="HubException">The index is broken, or names a file elsewhere.</exception>
    public static IReadOnlyList<string> ReadIndex(string path)
    {
        try
        {
            using var document = JsonDocument.Parse(File.ReadAllBytes(path));
            var shards = document.RootElement.GetProperty("weight_map").EnumerateObject()
                .Select(entry => entry.Value.GetString() ?? "").Distinct().Order(StringComparer.Ordinal).ToList();
            return shards.Find(shard => !IsPlain(shard)) is { } odd
                ? throw new HubException($"{path}: shard '{Shown(odd)}' is not the plain name of a .safetensors file.")
                : shards;
        }
        catch (Exception exception) when (exception is JsonException or InvalidOperationException or KeyNotFoundException)
        {
            throw new HubException($"{path}: is not an index of safetensors shards: {exception.Message}", exception);
        }
    }

    private static string Shown(string name) => string.Concat(name.Select(c => char.IsControl(c) ? '?' : c));

    private static string WeightsOf(HubName name, IReadOnlyCollection<string> names)
    {
        if (names.Contains(Weights)) return Weights;
        if (names.Contains(Index)) return Index;
        if (names.Contains(AdapterConfig) && names.Contains(AdapterWeights)) return AdapterWeights;
        throw names.FirstOrDefault(IsPickle) is { } pickle
            ? new HubException($"'{name}' has its weights as pickle files alone ({pickle}), which are not loaded, since they can "
                + "run any code. Convert them where you trust them, and name the new folder: python -c \"from transformers import "
                + $"AutoModelForCausalLM as M; M.from_pretrained('{name.Repository}', revision='{name.Revision}')"
                + ".save_pretrained('NEW_FOLDER', safe_serialization=True)\"")
            : new HubException($"'{name}' has no weights that can be loaded: neither {Weights}, nor shards with {Index}, "
                + $"nor an adapter's {AdapterWeights}.");
    }

    private static bool IsPickle(string path) =>
        Path.GetExtension(path) is ".bin" or ".pt" or ".pth" or ".pkl" or ".ckpt" && Path.GetFileName(path) != "training_args.bin";

    /// <summary>Both separators, whatever the system, and nothing that a terminal obeys: the index may come from anyone.</summary>
    private static bool IsPlain(string name) => name.EndsWith(".safetensors", StringComparison.Ordinal)
        && name.AsSpan().IndexOfAny('/', '\\', ':') < 0 && !name.Any(char.IsControl);
}
