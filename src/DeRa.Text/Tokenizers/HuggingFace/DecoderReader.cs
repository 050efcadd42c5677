using System.Text;
using DeRa.Text.Tokenizers.Bpe;

namespace DeRa.Text.Tokenizers.HuggingFace;

/// <summary>
/// Reads the <c>decoder</c> of a tokenizer.json. There it is a chain over the whole list of tokens; here it becomes what
/// each token adds by itself, so that text can be streamed, and what is dropped at the start of a text.
/// </summary>
internal sealed class DecoderReader
{
    private const string Implemented = "Sequence, ByteLevel, ByteFallback, Fuse, Replace, Strip, Metaspace";

    // Each is given a token, whether it begins a text, and how many characters it may become.
    private readonly List<Func<string, bool, long, string>> _steps = [];
    private bool _readsByteTokens;
    private bool _readsByteLevel;
    private bool _isFused;
    private (char Character, int Count) _leading;

    /// <summary>Reads a decoder.</summary>
    public static TokenRendering Read(JsonField tokenizer)
    {
        var decoder = tokenizer.Find("decoder") ?? throw tokenizer.Refuse("no decoder", Implemented);
        var reader = new DecoderReader();
        foreach (var step in StepList.Flatten(decoder, "decoders")) reader.Add(step);
        return new TokenRendering(reader.Render, reader._leading.Character, reader._leading.Count);
    }

    private void Add(JsonField decoder)
    {
        switch (decoder["type"].Text())
        {
            case "ByteLevel":
                RequireText(decoder.AllowOnly("type", "add_prefix_space", "trim_offsets", "use_regex"));
                _readsByteLevel = _isFused = true;
                break;
            case "ByteFallback":
                RequireText(decoder.AllowOnly("type"));
                _readsByteTokens = true;
                break;
            case "Fuse":
                decoder.AllowOnly("type");
                _isFused = true;
                break;
            case "Replace":
                RequireText(decoder);
                var replacement = Replacement.Read(decoder);
                _steps.Add((token, _, most) => replacement.Apply(token, most));
                break;
            case "Metaspace":
                RequireText(decoder);
                AddMetaspace(Metaspace.Read(decoder));
                break;
            case "Strip":
                AddStrip(decoder.AllowOnly("type", "content", "start", "stop"));
                break;
            case var other:
                throw decoder.Refuse($"the decoder '{other}'", Implemented);
        }
    }

    private void RequireText(JsonField decoder)
    {
        if (_isFused || _readsByteTokens)
            throw decoder.Refuse(
                "a decoder at this place", "ByteLevel, ByteFallback, Replace and Metaspace before Fuse and ByteFallback");
    }

    /// <summary>Every replacement character of a text's first token is dropped, as Hugging Face's decoder does.</summary>
    private void AddMetaspace(Metaspace metaspace) => _steps.Add((token, isFirst, _) =>
        token.Replace(metaspace.Replacement, isFirst && metaspace.Prepends ? "" : " ", StringComparison.Ordinal));

    private void AddStrip(JsonField strip)
    {
        var content = strip["content"].Text();
        if (content.Length != 1) throw strip["content"].Error("must be one character");
        var (start, stop) = (strip["start"].Integer(0, int.MaxValue), strip["stop"].Integer(0, int.MaxValue));
        if (!_isFused)
        {
            RequireText(strip);
            _steps.Add((token, _, _) => StripToken(token, content[0], start, stop));
            return;
        }
        if (stop > 0 || _leading.Count > 0 || _readsByteLevel)
            throw strip.Refuse("this Strip of the whole text", "one Strip of its start, after Fuse");
        _leading = (content[0], start);
    }

    private static string StripToken(string token, char content, int start, int stop)
    {
        var (from, to) = (0, token.Length);
        for (; from < to && from < start && token[from] == content; from++) { }
        for (; to > from && token.Length - to < stop && token[to - 1] == content; to--) { }
        return token[from..to];
    }

    private byte[] Render(string token, bool isFirst)
    {
        var most = TextGrowth.Most(token.Length);
        foreach (var step in _steps) token = step(token, isFirst, most);
        if (_readsByteTokens && ByteToken.TryRead(token, out var value)) return [value];
        return _readsByteLevel ? ByteLevelAlphabet.Read(token) : Encoding.UTF8.GetBytes(token);
    }
}
