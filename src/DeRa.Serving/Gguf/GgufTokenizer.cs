using System.Text.Json;
using DeRa.Text;
using DeRa.Text.Loading;
using DeRa.Torch.Gguf;

namespace DeRa.Serving.Gguf;

/// <summary>
/// A model's tokenizer in the keys that llama.cpp reads. Ids mean the same as here; text becomes the same ids where llama.cpp splits it
/// the same way, and a note says where that is not known.
/// </summary>
internal sealed class GgufTokenizer
{
    private const string Words = @"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|",
        Rest = @"| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+";

    /// <summary>llama.cpp's names of the ways in which it splits text.</summary>
    private static readonly Dictionary<string, string> SplitNames = new(StringComparer.Ordinal)
    {
        [TokenizerVocabulary.Gpt2Split] = "gpt-2",
        [Words + @"\p{N}{1,3}" + Rest] = "llama-bpe",
        [Words + @"\p{N}" + Rest] = "qwen2",
    };

    private readonly TokenizerVocabulary _vocabulary;
    private readonly int _size;
    private readonly int? _begin, _end;

    private GgufTokenizer(TokenizerVocabulary vocabulary, int size, int? begin, int? end) =>
        (_vocabulary, _size, _begin, _end) = (vocabulary, size, begin, end);

    /// <summary>What is not known to be the same, a sentence each.</summary>
    public IEnumerable<string> Notes
    {
        get
        {
            if (_vocabulary.IsByteLevel && SplitName is null)
                yield return "llama.cpp does not know how the tokenizer splits text: give it token ids instead";
            if (!_vocabulary.IsByteLevel && !_vocabulary.HasStoredScores)
                yield return "llama.cpp merges by scores, here made of the tokenizer's order of merges: "
                    + "where a text must become the same ids, give it token ids instead";
        }
    }

    private string? SplitName => SplitNames.GetValueOrDefault(_vocabulary.Split ?? "");

    /// <summary>Reads a model's folder.</summary>
    /// <param name="folder">A folder in Hugging Face layout.</param>
    /// <param name="size">Tokens of the model; its list is padded to them.</param>
    /// <exception cref="TokenizerException">There is no tokenizer, or one that cannot be served.</exception>
    public static GgufTokenizer Read(string folder, int size)
    {
        var vocabulary = TokenizerVocabulary.Read(folder);
        return new GgufTokenizer(vocabulary, size, Id(folder, "bos_token_id", size), Id(folder, "eos_token_id", size));
    }

    /// <summary>Adds the keys.</summary>
    public void AddTo(GgufMetadata metadata)
    {
        var tokens = Enumerable.Range(0, _size).Select(id => id < _vocabulary.Tokens.Count ? _vocabulary.Tokens[id] : null).ToList();
        metadata.Add("tokenizer.ggml.model", _vocabulary.IsByteLevel ? "gpt2" : "llama")
            .Add("tokenizer.ggml.pre", _vocabulary.IsByteLevel ? SplitName ?? "default" : "default")
            .Add("tokenizer.ggml.tokens", [.. tokens.Select((token, id) => token?.Text ?? $"[PAD{id}]")])
            .Add("tokenizer.ggml.token_type", [.. tokens.Select(Kind)]);
        if (_vocabulary.IsByteLevel)
            metadata.Add("tokenizer.ggml.merges", _vocabulary.Merges);
        else
            metadata.Add("tokenizer.ggml.scores", [.. tokens.Select(token => token?.Score ?? 0)])
                .Add("tokenizer.ggml.add_space_prefix", _vocabulary.AddsSpace);
        if (_begin is { } begin) metadata.Add("tokenizer.ggml.bos_token_id", begin);
        if (_end is { } end) metadata.Add("tokenizer.ggml.eos_token_id", end);
        if (tokens.FindIndex(token => token?.Kind == TokenKind.Unknown) is >= 0 and var unknown)
            metadata.Add("tokenizer.ggml.unknown_token_id", unknown);
        metadata.Add("tokenizer.ggml.add_bos_token", _vocabulary.Surrounding is [var first, ..] && first == _begin);
    }

    /// <summary>The format's numbers, which are SentencePiece's.</summary>
    private static int Kind(VocabularyToken? token) => token?.Kind switch
    {
        null => 5,
        TokenKind.Unknown => 2,
        TokenKind.Control => 3,
        TokenKind.Added => 4,
        TokenKind.Byte => 6,
        _ => 1,
    };

    /// <summary>An id that config.json gives, or the first of several; null where it gives none of the model's.</summary>
    private static int? Id(string folder, string name, int size)
    {
        using var config = JsonDocument.Parse(File.ReadAllBytes(Path.Combine(folder, "config.json")));
        if (!config.RootElement.TryGetProperty(name, out var value)) return null;
        if (value.ValueKind == JsonValueKind.Array && value.GetArrayLength() > 0) value = value[0];
        return value.ValueKind == JsonValueKind.Number && value.TryGetInt32(out var id) && id >= 0 && id < size ? id : null;
    }
}
