using DeRa.Text.Tokenizers;
using DeRa.Text.Tokenizers.HuggingFace;
using DeRa.Text.Tokenizers.SentencePiece;

namespace DeRa.Text.Loading;

/// <summary>Loads a model's tokenizer.</summary>
public static class TokenizerLoader
{
    /// <summary>Whether a folder has a tokenizer at all; a folder that holds an adapter need not.</summary>
    public static bool IsIn(string folder) =>
        File.Exists(Path.Combine(folder, "tokenizer.json")) || File.Exists(Path.Combine(folder, "tokenizer.model"));

    /// <summary>
    /// Loads <c>tokenizer.json</c>, else the SentencePiece <c>tokenizer.model</c>; with <c>tokenizer_config.json</c>,
    /// <c>added_tokens.json</c> and <c>special_tokens_map.json</c>, where present.
    /// </summary>
    /// <param name="folder">A folder in Hugging Face layout.</param>
    /// <returns>The tokenizer; any thread may use it.</returns>
    /// <exception cref="TokenizerException">
    /// Neither file is there, or one is malformed or asks for something that is not implemented.
    /// </exception>
    public static ITokenizer Load(string folder)
    {
        var config = TokenizerConfig.Load(folder);
        var json = Path.Combine(folder, "tokenizer.json");
        if (File.Exists(json)) return TokenizerJsonReader.Read(json, config);
        var sentencePiece = Path.Combine(folder, "tokenizer.model");
        if (File.Exists(sentencePiece)) return SentencePieceReader.Read(sentencePiece, config);
        throw new TokenizerException($"{folder}: no tokenizer: neither tokenizer.json nor tokenizer.model is there");
    }
}
