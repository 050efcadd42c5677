using System.Globalization;
using System.Text;
using System.Text.Unicode;
using DeRa.Text;

namespace DeRa.Server.Http.Wire;

/// <summary>Formats tokens as OpenAI's log-probabilities do.</summary>
/// <param name="tokenizer">The pair's tokenizer.</param>
/// <param name="asIds">Whether tokens are named by their ids, <c>token_id:17</c>, which distinguishes tokens with the same text.</param>
internal sealed class TokenTexts(ITokenizer tokenizer, bool asIds = false)
{
    /// <summary>What a log-probability of −∞ is written as: JSON has no infinity, and this is what OpenAI writes.</summary>
    private const float Impossible = -9999;

    /// <summary>
    /// The token's text; a special token's name; and for a token that holds a part of a character, its bytes in the form
    /// <c>bytes:\xe2\x80</c>.
    /// </summary>
    public string Format(int token) => asIds ? string.Create(CultureInfo.InvariantCulture, $"token_id:{token}") : Text(token);

    /// <summary>The same, never by its id.</summary>
    public string Text(int token)
    {
        if (tokenizer.IsSpecial(token)) return tokenizer.GetToken(token) ?? "";
        var bytes = Bytes(token);
        return Utf8.IsValid(bytes) ? Encoding.UTF8.GetString(bytes) : Escape(bytes);
    }

    /// <summary>The bytes that the token adds to the text.</summary>
    public ReadOnlySpan<byte> Bytes(int token) => tokenizer.GetBytes(token).Span;

    /// <summary>Whether the token adds no text.</summary>
    public bool IsSpecial(int token) => tokenizer.IsSpecial(token);

    /// <summary>The log-probability as a number that JSON can hold.</summary>
    public static float Finite(float logProb) => float.IsFinite(logProb) ? logProb : Impossible;

    /// <inheritdoc cref="Finite(float)"/>
    public static double Finite(double logProb) => double.IsFinite(logProb) ? logProb : Impossible;

    private static string Escape(ReadOnlySpan<byte> bytes)
    {
        var text = new StringBuilder("bytes:");
        foreach (var value in bytes) text.Append("\\x").Append(Convert.ToHexStringLower([value]));
        return text.ToString();
    }
}
