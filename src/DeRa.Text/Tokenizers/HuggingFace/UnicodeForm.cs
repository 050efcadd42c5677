using System.Text;

namespace DeRa.Text.Tokenizers.HuggingFace;

/// <summary>
/// Unicode normalization as huggingface/tokenizers 0.23 does it, whose tables are of an older Unicode than .NET's: marks and
/// compositions that came later neither move nor compose there. .NET normalizes what lies between such characters.
/// </summary>
internal static class UnicodeForm
{
    /// <summary>
    /// First and last of each range that the library leaves as it is: all characters that it and ICU 17 treated differently, and
    /// what those decompose to. U+FFFE is here because .NET takes no text that holds it.
    /// </summary>
    private static readonly (int First, int Last)[] LaterCharacters =
    [
        (0x7FD, 0x7FD), (0x897, 0x89F), (0x8CA, 0x8D3), (0x9FE, 0x9FE), (0xC3C, 0xC3C), (0xD3B, 0xD3C), (0xEBA, 0xEBA),
        (0x1715, 0x1715), (0x1ABF, 0x1ADD), (0x1AE0, 0x1AEB), (0x1DF6, 0x1DFA), (0x32FF, 0x32FF), (0xA7F1, 0xA7F4),
        (0xA82C, 0xA82C), (0xAB69, 0xAB69), (0xFFFE, 0xFFFE), (0x105C9, 0x105C9), (0x105D2, 0x105D2), (0x105DA, 0x105DA),
        (0x105E4, 0x105E4), (0x10781, 0x10785), (0x10787, 0x107B0), (0x107B2, 0x107BA), (0x10D24, 0x10D27), (0x10D69, 0x10D6D),
        (0x10EAB, 0x10EAC), (0x10EFA, 0x10EFB), (0x10EFD, 0x10EFF), (0x10F46, 0x10F50), (0x10F82, 0x10F85), (0x11070, 0x11070),
        (0x1133B, 0x1133B), (0x11382, 0x11385), (0x1138B, 0x1138B), (0x1138E, 0x1138E), (0x11390, 0x11391), (0x113B8, 0x113B8),
        (0x113BB, 0x113BB), (0x113C2, 0x113C2), (0x113C5, 0x113C5), (0x113C7, 0x113C9), (0x113CE, 0x113D0), (0x1145E, 0x1145E),
        (0x11839, 0x1183A), (0x11930, 0x11930), (0x11935, 0x11935), (0x11938, 0x11938), (0x1193D, 0x1193E), (0x11943, 0x11943),
        (0x119E0, 0x119E0), (0x11A34, 0x11A34), (0x11A47, 0x11A47), (0x11A99, 0x11A99), (0x11D42, 0x11D42), (0x11D44, 0x11D45),
        (0x11D97, 0x11D97), (0x11F41, 0x11F42), (0x1611E, 0x16129), (0x1612F, 0x1612F), (0x16D63, 0x16D63), (0x16D67, 0x16D6A),
        (0x16FF0, 0x16FF1), (0x1CCD6, 0x1CCF9), (0x1E030, 0x1E06D), (0x1E08F, 0x1E08F), (0x1E130, 0x1E136), (0x1E2AE, 0x1E2AE),
        (0x1E2EC, 0x1E2EF), (0x1E4EC, 0x1E4EF), (0x1E5EE, 0x1E5EF), (0x1E6E3, 0x1E6E3), (0x1E6E6, 0x1E6E6), (0x1E6EE, 0x1E6EF),
        (0x1E6F5, 0x1E6F5), (0x1F16C, 0x1F16C), (0x1FBF0, 0x1FBF9),
    ];

    private static readonly int[] Borders = [.. LaterCharacters.SelectMany(range => new[] { range.First, range.Last + 1 })];

    /// <summary>Normalizes a text.</summary>
    /// <param name="text">Well-formed UTF-16.</param>
    /// <param name="form">The form.</param>
    public static string Apply(string text, NormalizationForm form)
    {
        if (Ascii.IsValid(text)) return text;
        var normalized = new StringBuilder(text.Length);
        var (done, at) = (0, 0);
        foreach (var rune in text.EnumerateRunes())
        {
            if (IsLater(rune.Value))
            {
                normalized.Append(Between(done, at)).Append(rune.ToString());
                done = at + rune.Utf16SequenceLength;
            }
            at += rune.Utf16SequenceLength;
        }
        return normalized.Append(Between(done, at)).ToString();

        string Between(int start, int end) => MarkOrder.SortLongRuns(text[start..end]).Normalize(form);
    }

    /// <summary>Every second border ends a range, so that an odd count of borders up to a character means inside.</summary>
    private static bool IsLater(int character)
    {
        if (character < LaterCharacters[0].First) return false;
        var found = Array.BinarySearch(Borders, character);
        return (found < 0 ? ~found : found + 1) % 2 == 1;
    }
}
