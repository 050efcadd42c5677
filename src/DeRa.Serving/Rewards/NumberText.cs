using System.Globalization;
using System.Text.RegularExpressions;

namespace DeRa.Serving.Rewards;

/// <summary>Finds the number that a text gives as its result.</summary>
internal static partial class NumberText
{
    /// <summary>
    /// The last number after the last <c>####</c> (GSM8K), else of the last <c>\boxed{…}</c> (MATH), else of the text. Digits may be
    /// grouped by commas; a box may hold one fraction, a/b or \frac{a}{b}.
    /// </summary>
    /// <returns>Null where there is none.</returns>
    public static double? Find(string text)
    {
        if (text.LastIndexOf("####", StringComparison.Ordinal) is >= 0 and var sign)
            return Last(text[(sign + 4)..].TrimStart().Split('\n')[0]);
        if (LastBox(text) is { } box) return Fraction(box) ?? Last(box);
        return Last(text);
    }

    /// <summary>The last number of a text, or null.</summary>
    public static double? Last(string text)
    {
        var last = default(string);
        foreach (var match in Number().EnumerateMatches(text)) last = text.Substring(match.Index, match.Length);
        return last is null ? null : Parse(last);
    }

    private static double? Parse(string digits) => double.TryParse(digits.Replace(",", "", StringComparison.Ordinal).Replace('−', '-'),
        NumberStyles.Float, CultureInfo.InvariantCulture, out var number) && double.IsFinite(number) ? number : null;

    /// <summary>What the braces of the last box hold; null where there is no whole one.</summary>
    private static string? LastBox(string text)
    {
        const string opening = @"\boxed{";
        if (text.LastIndexOf(opening, StringComparison.Ordinal) is not (>= 0 and var start)) return null;
        var (first, depth) = (start + opening.Length, 1);
        for (var i = first; i < text.Length; i++)
        {
            depth += text[i] switch { '{' => 1, '}' => -1, _ => 0 };
            if (depth == 0) return text[first..i];
        }
        return null;
    }

    private static double? Fraction(string text) =>
        FractionForm().Match(text) is { Success: true } form && Parse(form.Groups["a"].Value) is { } a
        && Parse(form.Groups["b"].Value) is { } b && b != 0
            ? (form.Groups["sign"].Length > 0 ? -a : a) / b : null;

    // A hyphen after a letter or a digit is none of the number's: "COVID-19", "10-15".
    [GeneratedRegex("""
        (?:(?<![\w.)])[-−])?
        (?: (?:\d{1,3}(?:,\d{3})+(?!\d)|\d+)(?:\.\d+)?(?:[eE][-+]?\d+)? | (?<!\w)\.\d+ )
        """, RegexOptions.IgnorePatternWhitespace)]
    private static partial Regex Number();

    [GeneratedRegex("""
        ^ \s* (?<sign>[-−]?) \s*
        (?: \\[dt]?frac \s* \{ \s* (?<a>\d+(?:\.\d+)?) \s* \} \s* \{ \s* (?<b>\d+(?:\.\d+)?) \s* \}
          | (?<a>\d+(?:\.\d+)?) \s* / \s* (?<b>\d+(?:\.\d+)?) )
        \s* $
        """, RegexOptions.IgnorePatternWhitespace)]
    private static partial Regex FractionForm();
}
