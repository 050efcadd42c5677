namespace DeRa.Text.Tokenizers.HuggingFace;

/// <summary>
/// Reads a tokenizer.json of Hugging Face's tokenizers library. What it asks for and is not implemented is refused by name.
/// </summary>
internal static class TokenizerJsonReader
{
    /// <param name="path">The file.</param>
    /// <param name="config">What lies beside it.</param>
    public static ITokenizer Read(string path, TokenizerConfig config)
    {
        // truncation and padding are for batches of training texts; nothing here pads or truncates.
        var root = JsonField.ReadFile(path).AllowOnly("version", "truncation", "padding", "added_tokens", "normalizer",
            "pre_tokenizer", "post_processor", "decoder", "model");
        var vocabulary = BpeModelReader.ReadVocabulary(root["model"]);
        var added = ReadAddedTokens(root, vocabulary, config);
        var normalize = NormalizerReader.Read(root.Find("normalizer"));
        var rendering = DecoderReader.Read(root);
        string Normalized(string token) => OfToken(root, token, () => normalize(token));
        var tokens = MakeTable(root, vocabulary, added, Normalized, rendering);
        return new TextTokenizer(
            tokens,
            rendering,
            new AddedTokenMatching(added, Normalized),
            piece => normalize(piece.Text),
            PreTokenizerReader.Read(root.Find("pre_tokenizer"), config.Flag("add_prefix_space")),
            BpeModelReader.Read(root["model"], vocabulary, tokens.IsSpecial).Encode,
            config.Surround(PostProcessorReader.Read(root.Find("post_processor")), tokens));
    }

    /// <summary>
    /// The file's own, with what the files beside it say otherwise of them, and those that they add. As in the transformers
    /// library, which id a token has is this file's to say, and what is special here stays so; another token for an id that is
    /// taken is left from an earlier save.
    /// </summary>
    private static List<AddedToken> ReadAddedTokens(
        JsonField root, Dictionary<string, int> vocabulary, TokenizerConfig config)
    {
        var added = new Dictionary<string, AddedToken>(StringComparer.Ordinal);
        foreach (var field in root.Find("added_tokens")?.Items() ?? [])
        {
            var token = AddedToken.Read(field, field["id"].Integer(0, TokenTable.HighestId));
            var known = vocabulary.TryGetValue(token.Content, out var id) ? id : added.GetValueOrDefault(token.Content)?.Id;
            if (known is not null && known != token.Id)
                throw field.Error($"gives '{token.Content}' the id {token.Id}, but the vocabulary gives it {known}");
            added[token.Content] = token;
        }
        var taken = vocabulary.Values.Concat(added.Values.Select(token => token.Id)).ToHashSet();
        foreach (var (token, _) in config.AddedTokens(added).ToList())
        {
            if (added.TryGetValue(token.Content, out var own))
                added[token.Content] = token with { Id = own.Id, Special = token.Special || own.Special };
            else if (vocabulary.TryGetValue(token.Content, out var id))
                added[token.Content] = token with { Id = id };
            else if (taken.Add(token.Id))
                added[token.Content] = token;
        }
        return [.. added.Values];
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
            form => OfToken(root, form, () => rendering.Render(form, false)));
    }

    /// <summary>What a step makes of a token of this file's; a complaint names the file.</summary>
    private static T OfToken<T>(JsonField root, string token, Func<T> make)
    {
        try
        {
            return make();
        }
        catch (TokenizerException error)
        {
            throw root.Error($"has a token '{token}': {error.Message}");
        }
    }
}
