using System.Text.Json;
using DeRa.Engine.Text;
using DeRa.Torch.Configuration;
using DeRa.Torch.Families;
using DeRa.Torch.Layouts;
using DeRa.Torch.Weights;

namespace DeRa.Torch.Models;

/// <summary>What a model folder says of itself, without its weights being read and without libtorch.</summary>
public sealed record ModelInspection
{
    /// <summary>The model folder.</summary>
    public required string Folder { get; init; }

    /// <summary>The configuration; null where it cannot be used.</summary>
    public ModelConfig? Config { get; private init; }

    /// <summary>
    /// Whether the configuration ties the output layer to the embedding but another one is stored, which is used:
    /// <see cref="Config"/> says so.
    /// </summary>
    public bool HasUntiedOutput { get; private init; }

    /// <summary>Elements of all tensors that the configuration asks for; 0 where it cannot be used.</summary>
    public long ParameterCount { get; private init; }

    /// <summary>Elements of the stored weights by element type, such as bfloat16; null where none could be opened.</summary>
    public IReadOnlyDictionary<string, long>? StoredElements { get; private init; }

    /// <summary>The tokenizer; null where it cannot be used.</summary>
    public ITokenizer? Tokenizer { get; private init; }

    /// <summary>The tokenizer's file and kind, such as <c>tokenizer.json (BPE)</c>.</summary>
    public string TokenizerKind { get; private init; } = "";

    /// <summary>Ids that end a text, in ascending order.</summary>
    public IReadOnlyList<int> EndTokens { get; private init; } = [];

    /// <summary>The folder's chat template, which may have a fault that keeps chats from it; null = none.</summary>
    public ChatTemplate? ChatTemplate { get; private init; }

    /// <summary>Why the model cannot be served, as loading it would say; empty where it can.</summary>
    public IReadOnlyList<string> Problems { get; private init; } = [];

    /// <summary>Bytes of the weights in memory.</summary>
    /// <param name="elementBytes">Bytes of an element.</param>
    public long WeightBytes(int elementBytes) => ParameterCount * elementBytes;

    /// <summary>Bytes that one token takes in the cache.</summary>
    /// <param name="elementBytes">Bytes of an element.</param>
    public long CacheBytesPerToken(int elementBytes) => Config?.CacheBytesPerToken(elementBytes) ?? 0;

    /// <summary>
    /// Reads configuration, tokenizer and the headers of the weights, and an output layer where the configuration does without.
    /// What is wrong becomes a problem and is not thrown.
    /// </summary>
    /// <param name="folder">A folder in Hugging Face layout.</param>
    /// <param name="needsWeights">False where it is no problem that there are none.</param>
    public static ModelInspection Read(string folder, bool needsWeights = true)
    {
        var problems = new List<string>();
        var read = Try(problems, () => ModelConfigReader.Load(folder));
        var tokenizer = Try(problems, () => TokenizerLoader.Load(folder));
        var generation = tokenizer is null ? null : Try(problems, () => GenerationConfig.Load(folder, tokenizer));
        var stored = needsWeights || Checkpoint.IsIn(folder) ? Try(problems, () => ReadStored(folder, read)) : null;
        var config = stored?.Config ?? read;
        return new ModelInspection
        {
            Folder = folder,
            Config = config,
            HasUntiedOutput = config?.TiedEmbeddings != read?.TiedEmbeddings,
            ParameterCount = config is null ? 0 : DecoderTensors.CountElements(config, Architecture.LayoutOf(config)),
            StoredElements = stored?.Elements,
            Tokenizer = tokenizer,
            TokenizerKind = KindOfTokenizer(folder),
            EndTokens = generation?.EndTokens.Order().ToList() ?? [],
            // What throws here is a problem of the tokenizer, named already.
            ChatTemplate = Try([], () => ChatTemplate.Load(folder, TimeProvider.System)),
            Problems = problems,
        };
    }

    private static T? Try<T>(List<string> problems, Func<T?> read) where T : class
    {
        try
        {
            return read();
        }
        catch (Exception problem) when (problem is CheckpointException or TokenizerException)
        {
            problems.Add(problem.Message);
            return null;
        }
    }

    /// <summary>Elements by type, and the configuration as the weights bear it out.</summary>
    private static Stored ReadStored(string folder, ModelConfig? config)
    {
        using var checkpoint = Checkpoint.Open(folder);
        if (config is not null)
        {
            var layout = Architecture.LayoutOf(config).As(checkpoint);
            config = DecoderTensors.WithStoredOutput(config, checkpoint, layout);
            DecoderTensors.Check(checkpoint, config, layout);
        }
        var elements = checkpoint.Names.Select(name => checkpoint.Find(name)!.Value.Tensor)
            .Where(tensor => tensor.IsWeight)
            .GroupBy(tensor => tensor.Type.ToString().ToLowerInvariant(), tensor => tensor.ElementCount)
            .ToDictionary(type => type.Key, type => type.Sum());
        return new Stored(elements, config);
    }

    private static string KindOfTokenizer(string folder)
    {
        var path = Path.Combine(folder, "tokenizer.json");
        if (!File.Exists(path)) return "tokenizer.model (SentencePiece)";
        return ReadField(path, "model") is { ValueKind: JsonValueKind.Object } model
            && model.TryGetProperty("type", out var type) && type.ValueKind == JsonValueKind.String
                ? $"tokenizer.json ({type.GetString()})"
                : "tokenizer.json";
    }

    /// <summary>A field of a JSON file; null where it or the file is absent, null or broken, of which the loaders complain.</summary>
    private static JsonElement? ReadField(string path, string name)
    {
        try
        {
            if (!File.Exists(path)) return null;
            using var document = JsonDocument.Parse(ModelFile.ReadAllBytes(path));
            return document.RootElement.ValueKind == JsonValueKind.Object
                && document.RootElement.TryGetProperty(name, out var field) && field.ValueKind != JsonValueKind.Null
                    ? field.Clone()
                    : null;
        }
        catch (Exception broken) when (broken is JsonException or IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    private sealed record Stored(IReadOnlyDictionary<string, long> Elements, ModelConfig? Config);
}
