using System.Globalization;
using System.Text;

namespace DeRa.Text.Tokenizers.HuggingFace;

/// <summary>
/// Puts long runs of combining marks in canonical order. .NET's normalization does so one mark at a time, which takes time
/// quadratic in a run that somebody made long: half a minute for 200 KB. What was in order already takes it no time.
/// </summary>
internal static class MarkOrder
{
    private const int LongestShortRun = 128;

    /// <summary>A mark of each canonical combining class.</summary>
    private const string Representatives =
        "\u0334\u093C\u3099\u094D\u05B0\u05B1\u05B2\u05B3\u05B4\u05B5\u05B6\u05B7\u05B8\u05B9\u05BB\u05BC\u05BD\u05BF\u05C1\u05C2\uFB1E"
        + "\u064B\u064C\u064D\u064E\u064F\u0650\u0651\u0652\u0670\u0711\u0C55\u0C56\u0E38\u0E48\u0EB8\u0EC8\u0F71\u0F72\u0F74"
        + "\u0327\u1DCE\u031B\u302A\u0316\u059A\u302E\U0001D16D\u302B\u0301\u0315\u035C\u035D\u0345";

    /// <summary>A canonically equivalent text whose long runs of marks are in order.</summary>
    /// <param name="text">Well-formed UTF-16.</param>
    public static string SortLongRuns(string text)
    {
        var sorted = new StringBuilder();
        var (done, start, at) = (0, 0, 0);
        foreach (var rune in text.EnumerateRunes())
        {
            if (!IsMark(rune))
            {
                AppendSorted(start, at);
                start = at + rune.Utf16SequenceLength;
            }
            at += rune.Utf16SequenceLength;
        }
        AppendSorted(start, at);
        return done == 0 ? text : sorted.Append(text, done, text.Length - done).ToString();

        void AppendSorted(int from, int to)
        {
            if (to - from <= LongestShortRun) return;
            sorted.Append(text, done, from - done);
            foreach (var mark in Sort(text[from..to])) sorted.Append(mark.ToString());
            done = to;
        }
    }

    private static bool IsMark(Rune rune) => Rune.GetUnicodeCategory(rune) is
        UnicodeCategory.NonSpacingMark or UnicodeCategory.SpacingCombiningMark or UnicodeCategory.EnclosingMark;

    /// <summary>Marks of class 0 keep their places; those between them are sorted by class, equal ones staying in order.</summary>
    private static IEnumerable<Rune> Sort(string run)
    {
        var known = new Dictionary<Rune, (Rune[] Marks, int[] Ranks)>();
        var stretch = 0;
        var keyed = new List<(int Stretch, int Rank, Rune Mark)>(run.Length);
        foreach (var rune in run.EnumerateRunes())
        {
            if (!known.TryGetValue(rune, out var parts)) known[rune] = parts = Decompose(rune);
            for (var i = 0; i < parts.Marks.Length; i++)
                keyed.Add((parts.Ranks[i] == 0 ? ++stretch : stretch, parts.Ranks[i], parts.Marks[i]));
        }
        return keyed.OrderBy(mark => mark.Stretch).ThenBy(mark => mark.Rank).Select(mark => mark.Mark);
    }

    private static (Rune[] Marks, int[] Ranks) Decompose(Rune rune)
    {
        var marks = rune.ToString().Normalize(NormalizationForm.FormD).EnumerateRunes().ToArray();
        return (marks, Array.ConvertAll(marks, RankOf));
    }

    /// <summary>0 for class 0, else one more than the number of lower classes represented.</summary>
    private static int RankOf(Rune mark) =>
        Moves("\u0301", mark) || Moves(mark.ToString(), new Rune('\u0334'))
            ? 1 + Representatives.EnumerateRunes().Count(lower => Moves(mark.ToString(), lower))
            : 0;

    /// <summary>Whether a mark goes before another one when they are put in order.</summary>
    private static bool Moves(string before, Rune mark) =>
        before != mark.ToString() && (before + mark.ToString()).Normalize(NormalizationForm.FormD) == mark.ToString() + before;
}
