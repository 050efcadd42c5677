using System.Globalization;
using DeRa.Serving.Rewards;

namespace DeRa.Lab.Evaluation;

/// <summary>
/// How positive a text is by VADER (Hutto and Gilbert, ICWSM 2014): s / √(s² + 15), in (−1, 1), of the sum s of its words' valences,
/// where a word counts −0.74 times if one of the three words before it negates it. VADER's other rules (intensifiers, capitals,
/// "but", punctuation, idioms) are left out.
/// </summary>
internal sealed class VaderLexicon
{
    private const double Normalisation = 15, Negated = -.74;
    private const int NegationReach = 3;

    // VADER's own list, without the contractions, which all end in n't, and their misspellings.
    private static readonly HashSet<string> s_negations =
        ["cannot", "never", "none", "nope", "nor", "not", "nothing", "nowhere", "neither", "without", "rarely", "seldom", "despite"];

    private readonly Dictionary<string, double> _valences;

    private VaderLexicon(Dictionary<string, double> valences) => _valences = valences;

    /// <summary>Reads a lexicon: a word and its mean valence a line, separated by a tab; further columns are not read.</summary>
    /// <exception cref="LabException">The file is missing, empty, or a line is something else.</exception>
    public static VaderLexicon Read(string path)
    {
        if (!File.Exists(path)) throw new LabException($"--vader: there is no file {path}.");
        var valences = new Dictionary<string, double>();
        foreach (var (number, line) in File.ReadLines(path).Index())
        {
            if (line.Length == 0) continue;
            var columns = line.Split('\t');
            if (columns.Length < 2 || !double.TryParse(columns[1], NumberStyles.Float, CultureInfo.InvariantCulture, out var valence)
                || !double.IsFinite(valence))
                throw new LabException($"--vader: {path}: line {number + 1} is not a word, a tab and its mean valence.");
            valences.TryAdd(columns[0].ToLowerInvariant(), valence);
        }
        return valences.Count > 0 ? new VaderLexicon(valences) : throw new LabException($"--vader: {path}: holds no word.");
    }

    /// <summary>The compound score of a text; 0 where no word has a valence.</summary>
    /// <param name="words">Of <see cref="TextWords"/>.</param>
    public double Compound(IReadOnlyList<string> words)
    {
        var sum = 0.0;
        for (var i = 0; i < words.Count; i++)
            if (_valences.TryGetValue(words[i], out var valence)) sum += IsNegated(words, i) ? Negated * valence : valence;
        return sum / Math.Sqrt(sum * sum + Normalisation);
    }

    private static bool IsNegated(IReadOnlyList<string> words, int position)
    {
        for (var i = Math.Max(0, position - NegationReach); i < position; i++)
            if (s_negations.Contains(words[i]) || words[i].EndsWith("n't", StringComparison.Ordinal)) return true;
        return false;
    }
}
