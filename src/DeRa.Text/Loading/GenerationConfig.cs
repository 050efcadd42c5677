using DeRa.Text.Tokenizers;

namespace DeRa.Text.Loading;

/// <summary>
/// What a model's folder says of generating with it: where its text ends, and sampling values for requests that name
/// none. Source: Hugging Face <c>generation_config.json</c>, <c>config.json</c> and the files that name the tokenizer's tokens.
/// </summary>
public sealed record GenerationConfig
{
    private const string EndField = "eos_token_id";
    // Every character of every response is compared with each of them.
    private const int MostStopStrings = 64;
    private const int MostStopCharacters = 1024;

    /// <summary>
    /// Ids that end a text: what generation_config.json says, else what config.json says (which may still be the base model's),
    /// and the token that the tokenizer's files name. Empty where none names any.
    /// </summary>
    public required IReadOnlySet<int> EndTokens { get; init; }

    /// <summary>Sampling temperature, 0 or at least 0.01 (smaller positive values are read as 0.01); null = not given.</summary>
    public double? Temperature { get; init; }

    /// <summary>Top-p in (0, 1]; null = not given.</summary>
    public double? TopP { get; init; }

    /// <summary>Top-k, 0 = all (−1 in the file too); null = not given.</summary>
    public int? TopK { get; init; }

    /// <summary>Min-p in [0, 1]; null = not given.</summary>
    public double? MinP { get; init; }

    /// <summary>Repetition penalty in (0, 2]; null = not given.</summary>
    public double? RepetitionPenalty { get; init; }

    /// <summary>Strings that end a text (<c>stop_strings</c>), at most 64 of 1 to 1024 characters; no text holds one.</summary>
    public IReadOnlyList<string> StopStrings { get; init; } = [];

    /// <summary>Reads a model's folder.</summary>
    /// <param name="folder">A folder in Hugging Face layout; each of the files may be absent.</param>
    /// <param name="tokenizer">The folder's tokenizer.</param>
    /// <exception cref="TokenizerException">A file is malformed; the message names file and field.</exception>
    public static GenerationConfig Load(string folder, ITokenizer tokenizer)
    {
        var model = JsonField.ReadFileIfPresent(Path.Combine(folder, "config.json"));
        var generation = JsonField.ReadFileIfPresent(Path.Combine(folder, "generation_config.json"));
        var text = TokenizerConfig.Load(folder);
        // Sampling values count whatever do_sample says, as in vLLM: many published files give them without it.
        return new GenerationConfig
        {
            EndTokens = Ids(generation?.Find(EndField) ?? model?.Find(EndField))
                .Concat(NamedToken(text.FindName("eos_token"), tokenizer)).ToHashSet(),
            Temperature = ReadTemperature(generation),
            TopP = generation?.Find("top_p")?.Number(double.Epsilon, 1),
            TopK = generation?.Find("top_k")?.Integer(-1, int.MaxValue) is { } k ? Math.Max(k, 0) : null,
            MinP = generation?.Find("min_p")?.Number(0, 1),
            RepetitionPenalty = generation?.Find("repetition_penalty")?.Number(double.Epsilon, 2),
            StopStrings = [.. Texts(generation?.Find("stop_strings"))],
        };
    }

    private static double? ReadTemperature(JsonField? generation) =>
        generation?.Find("temperature")?.Number(0, double.MaxValue) switch
        {
            > 0 and < 0.01 => 0.01,
            var other => other,
        };

    private static IEnumerable<int> Ids(JsonField? field) => field switch
    {
        null => [],
        { IsList: true } list => list.Items().Select(item => item.Integer(0, int.MaxValue)),
        { } one => [one.Integer(0, int.MaxValue)],
    };

    private static IEnumerable<string> Texts(JsonField? field) => field switch
    {
        null => [],
        { IsList: true } list when list.Items().Count() > MostStopStrings => throw list.Error($"has more than {MostStopStrings} texts"),
        { IsList: true } list => list.Items().Select(StopText),
        { } one => [StopText(one)],
    };

    private static string StopText(JsonField field) => field.Text() is { Length: > 0 and <= MostStopCharacters } text ? text
        : throw field.Error($"must have 1 to {MostStopCharacters} characters");

    private static IEnumerable<int> NamedToken(JsonField? name, ITokenizer tokenizer)
    {
        if (name is not { } field) return [];
        var token = TokenizerConfig.ReadTokenName(field);
        for (var id = 0; id < tokenizer.VocabularySize; id++)
            if (tokenizer.GetToken(id) == token) return [id];
        throw field.Error($"'{token}' is not in the vocabulary");
    }
}
