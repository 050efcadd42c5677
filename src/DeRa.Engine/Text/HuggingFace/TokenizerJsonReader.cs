namespace DeRa.Engine.Text.HuggingFace;

/// <summary>
/// Reads a tokenizer.json of Hugging Face's tokenizers library. What it asks for and is not implemented is refused by name.
/// </summary>
internal static class TokenizerJsonReader
{
    /// <param name="path">The file.</param>
    /// <param name="config">tokenizer_config.json beside it, where there is one.</param>
    public static ITokenizer Read(string path, JsonField? config)
    {
        // truncation and padding are for batches of training texts; nothing here pads or cuts.
        var root = JsonField.ReadFile(path).AllowOnly("version", "truncation", "padding", "added_tokens", "normalizer",
            "pre_tokenizer", "post_processor", "decoder", "model");
        var vocabulary = BpeModelReader.ReadVocabulary(root["model"]);
        var added = ReadAddedTokens(root, vocabulary);
        var normalize = NormalizerReader.Read(root.Find("normalizer"));
        var rendering = DecoderReader.Read(root);
        var tokens = MakeTable(root, vocabulary, added, normalize, rendering);
        return new TextTokenizer(
            tokens,
            rendering,
            new AddedTokenMatching(added, normalize),
            piece => normalize(piece.Text),
            PreTokenizerReader.Read(root.Find("pre_tokenizer")),
            BpeModelReader.Read(root["model"], vocabulary).Encode,
            TokenizerConfigReader.Apply(config, PostProcessorReader.Read(root.Find("post_processor")), tokens));
    }

    private static List<AddedToken> ReadAddedTokens(JsonField root, Dictionary<string, int> vocabulary)
    {
        var added = new List<AddedToken>();
        foreach (var field in root.Find("added_tokens")?.Items() ?? [])
        {
            var token = AddedToken.Read(field, field["id"].Integer(0, TokenTable.HighestId));
            if (vocabulary.TryGetValue(token.Content, out var id) && id != token.Id)
                throw field.Error($"gives '{token.Content}' the id {token.Id}, but the vocabulary gives it {id}");
            added.Add(token);
        }
        return added;
    }

    private static TokenTable MakeTable(
        JsonField root,
        Dictionary<string, int> vocabulary,
        List<AddedToken> added,
        Func<string, string> normalize,
        TokenRendering rendering)
    {
        var tokens = vocabulary.ToDictionary(token => token.Value, token => (Token: token.Key, Form: token.Key));
        foreach (var token in added)
        {
            if (tokens.TryGetValue(token.Id, out var known) && known.Token != token.Content)
                throw root.Error($"gives the id {token.Id} to both '{known.Token}' and '{token.Content}'");
            tokens[token.Id] = (token.Content, token.Normalized ? normalize(token.Content) : token.Content);
        }
        return new TokenTable(
            [.. tokens.Select(token => (token.Value.Token, token.Key, token.Value.Form))],
            added.Where(token => token.Special).Select(token => token.Id).ToHashSet(),
            form => rendering.Render(form, false));
    }
}
