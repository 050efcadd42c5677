using DeRa.Serving.Rewards;

namespace DeRa.Lab.Evaluation;

/// <summary>The words of lists or of any texts, in any case.</summary>
internal sealed class KnownWords
{
    private const string Possessive = "'s";
    private readonly HashSet<string> _words = [];

    private KnownWords()
    {
    }

    /// <summary>Reads files: all words of them are known.</summary>
    /// <exception cref="LabException">A file is missing or holds no word.</exception>
    public static KnownWords Read(IEnumerable<string> paths)
    {
        var known = new KnownWords();
        foreach (var path in paths)
        {
            if (!File.Exists(path)) throw new LabException($"--known-words: there is no file {path}.");
            var words = 0;
            foreach (var word in File.ReadLines(path).SelectMany(TextWords.Of))
            {
                known._words.Add(word);
                words++;
            }
            if (words == 0) throw new LabException($"--known-words: {path}: holds no word.");
        }
        return known;
    }

    /// <summary>The words, each once, in no order.</summary>
    public IReadOnlyCollection<string> Words => _words;

    /// <summary>The share, in [0, 1], of words that are not known, without and with a possessive 's; 0 of no words.</summary>
    /// <param name="words">Of <see cref="TextWords"/>.</param>
    public double UnknownShare(IReadOnlyList<string> words) =>
        words.Count == 0 ? 0 : (double)words.Count(word => !Contains(word)) / words.Count;

    /// <summary>Whether a word of <see cref="TextWords"/> is known, without or with a possessive 's.</summary>
    public bool Contains(string word) =>
        _words.Contains(word) || word.EndsWith(Possessive, StringComparison.Ordinal) && _words.Contains(word[..^Possessive.Length]);
}
