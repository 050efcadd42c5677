using System.Text.Json;
using DeRa.Text;
using DeRa.Text.Chat;
using DeRa.Text.Loading;
using DeRa.Torch.Families;

namespace DeRa.Serving.Inspection;

/// <summary>What a model folder says of itself: configuration, weights, tokenizer, chat template. No weights are read.</summary>
public sealed record ModelInspection
{
    /// <summary>Configuration and stored weights.</summary>
    public required CheckpointInspection Checkpoint { get; init; }

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

    /// <summary>
    /// Reads configuration, tokenizer and the headers of the weights. What is wrong becomes a problem and is not thrown.
    /// </summary>
    /// <param name="folder">A folder in Hugging Face layout.</param>
    /// <param name="needsWeights">False where it is no problem that there are none.</param>
    public static ModelInspection Read(string folder, bool needsWeights = true)
    {
        var checkpoint = CheckpointInspection.Read(folder, needsWeights);
        var problems = new List<string>();
        if (checkpoint.ConfigProblem is { } config) problems.Add(config);
        var tokenizer = Try(problems, () => TokenizerLoader.Load(folder));
        var generation = tokenizer is null ? null : Try(problems, () => GenerationConfig.Load(folder, tokenizer));
        if (checkpoint.WeightsProblem is { } weights) problems.Add(weights);
        return new ModelInspection
        {
            Checkpoint = checkpoint,
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
        catch (TokenizerException problem)
        {
            problems.Add(problem.Message);
            return null;
        }
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
}
