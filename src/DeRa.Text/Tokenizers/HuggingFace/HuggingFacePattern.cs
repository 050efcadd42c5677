using System.Diagnostics;
using System.Text.RegularExpressions;

namespace DeRa.Text.Tokenizers.HuggingFace;

/// <summary>A regular expression of a tokenizer.json, matching as it does there.</summary>
internal sealed class HuggingFacePattern
{
    /// <summary>A pattern from a file may take exponential time on a text: a request must not wait for it for ever.</summary>
    private static readonly TimeSpan LongestSearch = TimeSpan.FromSeconds(10);

    private readonly Regex _regex;
    private readonly AstralPlaceholders _placeholders;

    /// <summary>The split that GPT-2 and <c>ByteLevel</c> make. Source: openai/gpt-2, encoder.py.</summary>
    public static HuggingFacePattern Gpt2 { get; } = Compile(
        @"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+", message => new TokenizerException(message));

    private HuggingFacePattern(Regex regex, AstralPlaceholders placeholders) => (_regex, _placeholders) = (regex, placeholders);

    /// <summary>Translates and compiles a pattern.</summary>
    /// <exception cref="TokenizerException">It uses a construct whose meaning here is not known to be the same.</exception>
    public static HuggingFacePattern Compile(JsonField field, string pattern) =>
        Compile(pattern, message => field.Error($"holds the pattern {pattern}: {message}"));

    /// <param name="pattern">The pattern as it stands in the file.</param>
    /// <param name="complain">Makes an error of what is wrong with it.</param>
    /// <param name="longest">How long one match, or all of a text's pieces, may take.</param>
    internal static HuggingFacePattern Compile(string pattern, Func<string, TokenizerException> complain, TimeSpan? longest = null)
    {
        var (translated, placeholders) = OnigurumaTranslator.Translate(pattern, complain);
        try
        {
            const RegexOptions Options = RegexOptions.Compiled | RegexOptions.CultureInvariant;
            return new HuggingFacePattern(new Regex(translated, Options, longest ?? LongestSearch), placeholders);
        }
        catch (Exception error) when (error is ArgumentException or InsufficientExecutionStackException)
        {
            throw complain(error.Message);
        }
    }

    /// <summary>Finds all matches in order; they do not overlap.</summary>
    /// <param name="text">Well-formed UTF-16.</param>
    /// <param name="searched">How long the text that this is a piece of was searched; null = it is the whole.</param>
    /// <exception cref="TokenizerException">The search takes too long.</exception>
    public List<(int Start, int End)> Matches(string text, SearchTime? searched = null)
    {
        searched ??= new SearchTime();
        int[]? offsets = null;
        if (text.AsSpan().ContainsAnyInRange('\uD800', '\uDFFF')) text = _placeholders.Replace(text, out offsets);
        var matches = new List<(int, int)>();
        var clock = Stopwatch.StartNew();
        try
        {
            foreach (var match in _regex.EnumerateMatches(text))
            {
                if (searched.Spent + clock.Elapsed > _regex.MatchTimeout) throw TooSlow();
                var (start, end) = (match.Index, match.Index + match.Length);
                matches.Add(offsets is null ? (start, end) : (offsets[start], offsets[end]));
            }
        }
        catch (RegexMatchTimeoutException)
        {
            throw TooSlow();
        }
        searched.Add(clock.Elapsed);
        return searched.Spent <= _regex.MatchTimeout ? matches : throw TooSlow();
    }

    private TokenizerException TooSlow() =>
        new($"a pattern of the tokenizer takes more than {_regex.MatchTimeout.TotalSeconds} s to split this text into pieces");
}
