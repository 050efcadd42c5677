using System.Text.RegularExpressions;

namespace DeRa.Engine.Text.HuggingFace;

/// <summary>A regular expression of a tokenizer.json, matching as it does there.</summary>
internal sealed class HuggingFacePattern
{
    private readonly Regex _regex;
    private readonly AstralPlaceholders _placeholders;

    /// <summary>The cut that GPT-2 and <c>ByteLevel</c> make. Source: openai/gpt-2, encoder.py.</summary>
    public static HuggingFacePattern Gpt2 { get; } = Compile(
        @"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+", message => new TokenizerException(message));

    private HuggingFacePattern(Regex regex, AstralPlaceholders placeholders) => (_regex, _placeholders) = (regex, placeholders);

    /// <summary>Translates and compiles a pattern.</summary>
    /// <exception cref="TokenizerException">It uses a construct whose meaning here is not known to be the same.</exception>
    public static HuggingFacePattern Compile(JsonField field, string pattern) =>
        Compile(pattern, message => field.Error($"holds the pattern {pattern}: {message}"));

    private static HuggingFacePattern Compile(string pattern, Func<string, TokenizerException> complain)
    {
        var (translated, placeholders) = OnigurumaTranslator.Translate(pattern, complain);
        try
        {
            return new HuggingFacePattern(new Regex(translated, RegexOptions.Compiled | RegexOptions.CultureInvariant), placeholders);
        }
        catch (ArgumentException error)
        {
            throw complain(error.Message);
        }
    }

    /// <summary>Finds all matches in order; they do not overlap.</summary>
    /// <param name="text">Well-formed UTF-16.</param>
    public List<(int Start, int End)> Matches(string text)
    {
        int[]? offsets = null;
        if (text.AsSpan().ContainsAnyInRange('\uD800', '\uDFFF')) text = _placeholders.Replace(text, out offsets);
        var matches = new List<(int, int)>();
        foreach (var match in _regex.EnumerateMatches(text))
        {
            var (start, end) = (match.Index, match.Index + match.Length);
            matches.Add(offsets is null ? (start, end) : (offsets[start], offsets[end]));
        }
        return matches;
    }
}
