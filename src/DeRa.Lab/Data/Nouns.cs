using System.Text.RegularExpressions;

namespace DeRa.Lab.Data;

/// <summary>
/// Which words are nouns, and with what article somebody would ask for one, after how a collection of stories uses them: between
/// "the", "a" or "his" and the end of a clause, a verb or a preposition stands a noun.
/// </summary>
internal sealed partial class Nouns
{
    private const int FewestUses = 6;

    // Shares that nouns have and other words have not, found by looking at what TinyStories gives.
    private const double LeastNounShare = 0.5, LeastDeterminedShare = 0.2;
    private const double LeastIndefiniteShare = 0.05, LeastDefiniteShare = 0.6, LeastBareShare = 0.15;

    private static readonly HashSet<string> s_determiners = Words("a an the his her their my your our");

    private static readonly HashSet<string> s_followers = Words("""
        and was were is are in on to with that named called who had has said of but so at for from by could would looked saw ran came
        went started wanted
        """);

    /// <summary>Nouns that no story is about.</summary>
    private static readonly HashSet<string> s_unasked = Words("""
        day days time times way ways end bit lot lots moment while thing things one ones other others same first second last next best
        most rest idea ideas side top bottom middle front back part kind kinds name names something everyone someone else all both two
        three four five few many more much fun now then here there again up down out home inside outside away well night morning
        afternoon evening minute minutes hour hours week weeks year years once place places it him her them me you us so too very
        little big own new old right left good bad happy sad hand hands eye eyes head face voice words word foot feet arm arms mouth
        nose tears door floor ground air window distance world life turn try look problem reason start stop rush hurry fast slow
        closer deep high low round long story stories mother father grandma grandpa body work help highest fastest west east
        surface edge point inch zero stuff ears faces chance grown rub mom dad mommy daddy mama papa mum mummy parents
        """);

    private readonly Dictionary<string, (string Phrase, double Weight)> _nouns = new(StringComparer.Ordinal);

    private Nouns()
    {
    }

    /// <summary>Learns from stories.</summary>
    public static Nouns Learn(IReadOnlyCollection<string> stories)
    {
        var uses = new Dictionary<string, Uses>(StringComparer.Ordinal);
        foreach (var (story, text) in stories.Index())
            foreach (var word in Placed(text))
            {
                if (!uses.TryGetValue(word.Text, out var use)) uses[word.Text] = use = new Uses();
                use.Count(word, story);
            }
        var nouns = new Nouns();
        foreach (var (word, use) in uses)
            if (word.Length > 2 && !s_unasked.Contains(word) && use.Phrase(word) is { } phrase)
                nouns._nouns[word] = (phrase, Math.Log(stories.Count / (double)use.Stories));
        return nouns;
    }

    /// <summary>A noun with the article that a request has ("a dog", "an owl", "birds", "the moon"); null for other words.</summary>
    public string? Phrase(string word) => _nouns.TryGetValue(word, out var noun) ? noun.Phrase : null;

    /// <summary>
    /// The nouns that a story has at least twice, at least once right after an article or an owner; first what it has most often for
    /// how few stories have it.
    /// </summary>
    public IReadOnlyList<string> Of(string story) =>
        [.. Placed(story).Where(word => _nouns.ContainsKey(word.Text)).GroupBy(word => word.Text, StringComparer.Ordinal)
            .Where(word => word.Count() >= 2 && word.Any(place => s_determiners.Contains(place.Before)))
            .OrderByDescending(word => word.Count() * _nouns[word.Key].Weight).Select(word => word.Key)];

    /// <summary>The words in small letters, with the words around them; empty where a sign stands between.</summary>
    private static IEnumerable<PlacedWord> Placed(string story)
    {
        var words = Word().Matches(story);
        for (var i = 0; i < words.Count; i++)
            if (char.IsAsciiLetterLower(words[i].Value[0]))
                yield return new PlacedWord(words[i].Value, AreNeighbours(i - 2) && AreNeighbours(i - 1) ? Lower(i - 2) : "",
                    AreNeighbours(i - 1) ? Lower(i - 1) : "", AreNeighbours(i) ? words[i + 1].Value : "");

        string Lower(int at) => words[at].Value.ToLowerInvariant();

        bool AreNeighbours(int left) => left >= 0 && left + 1 < words.Count && story[words[left + 1].Index - 1] == ' '
            && words[left].Index + words[left].Length + 1 == words[left + 1].Index;
    }

    private static HashSet<string> Words(string text) =>
        new(text.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries), StringComparer.Ordinal);

    private readonly record struct PlacedWord(string Text, string SecondBefore, string Before, string After);

    private sealed class Uses
    {
        private int _determined, _noun, _phrases, _indefinite, _the, _bare, _a, _an, _lastStory = -1;

        /// <summary>Stories that have the word.</summary>
        public int Stories { get; private set; }

        /// <summary>Counts a use; those of a story follow each other.</summary>
        public void Count(PlacedWord word, int story)
        {
            if (story != _lastStory) Stories++;
            _lastStory = story;
            var endsPhrase = word.After.Length == 0 || s_followers.Contains(word.After);
            if (s_determiners.Contains(word.Before))
            {
                _determined++;
                if (endsPhrase) _noun++;
                if (word.Before == "a") _a++;
                if (word.Before == "an") _an++;
            }
            if (!endsPhrase) return;
            _phrases++;
            if (word.Before is "a" or "an" || word.SecondBefore is "a" or "an") _indefinite++;
            else if (word.Before == "the") _the++;
            else if (!s_determiners.Contains(word.Before) && !s_determiners.Contains(word.SecondBefore)) _bare++;
        }

        public string? Phrase(string word) =>
            _determined < FewestUses || _noun < _determined * LeastNounShare || _noun < _phrases * LeastDeterminedShare ? null
            : _indefinite >= _phrases * LeastIndefiniteShare ? Article(word) + word
            : _the >= _phrases * LeastDefiniteShare ? "the " + word
            : _bare >= _phrases * LeastBareShare ? word
            : null;

        /// <summary>As the stories have it ("an hour"), where they have it often enough to tell from a slip.</summary>
        private string Article(string word) => (_a + _an >= FewestUses ? _an > _a : "aeio".Contains(word[0])) ? "an " : "a ";
    }

    [GeneratedRegex(@"[A-Za-z]+(?:'[a-z]+)?")]
    private static partial Regex Word();
}
