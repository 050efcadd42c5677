using System.Text;
using System.Text.RegularExpressions;
using DeRa.Lab.Tokenizers;

namespace DeRa.Lab.Tests.Tokenizers;

/// <summary>Byte-pair encoding straight from its definition, without any of the product's code; no text beyond U+FFFF.</summary>
internal static class NaiveBpe
{
    private static readonly Regex Gpt2 = new(@"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+");
    private static readonly List<char> Characters = MakeCharacters();

    /// <summary>Counts all pairs anew before each merge, until nothing is left to merge.</summary>
    public static List<(string Left, string Right)> Train(string text, int specialTokens)
    {
        var pieces = Gpt2.Matches(text).Select(match => Spell(match.Value)).ToList();
        var ids = Characters.Order().Select((c, i) => (Token: c.ToString(), Id: specialTokens + i)).ToDictionary(t => t.Token, t => t.Id);
        var merges = new List<(string Left, string Right)>();
        while (true)
        {
            var pairs = pieces.SelectMany(piece => piece.Zip(piece.Skip(1))).GroupBy(pair => pair).ToList();
            if (pairs.Count == 0) return merges;
            var (left, right) = pairs.OrderByDescending(pair => pair.Count())
                .ThenBy(pair => ids[pair.Key.First]).ThenBy(pair => ids[pair.Key.Second]).First().Key;
            ids.TryAdd(left + right, ids.Count + specialTokens);
            merges.Add((left, right));
            pieces = [.. pieces.Select(piece => Merge(piece, left, right))];
        }
    }

    /// <summary>Applies, as long as any applies, the first merge of those that do.</summary>
    public static List<int> Encode(TrainedBpe bpe, string text)
    {
        var ranks = bpe.Merges.Select((merge, rank) => (merge, rank)).ToDictionary(item => item.merge, item => item.rank);
        var ids = bpe.Vocabulary.Select((token, id) => (token, id)).ToDictionary(item => item.token, item => item.id);
        var result = new List<int>();
        foreach (Match match in Gpt2.Matches(text))
        {
            var piece = Spell(match.Value);
            while (piece.Zip(piece.Skip(1)).Where(ranks.ContainsKey).OrderBy(pair => ranks[pair]).Take(1).ToList() is [var (left, right)])
                piece = Merge(piece, left, right);
            result.AddRange(piece.Select(token => ids[token]));
        }
        return result;
    }

    private static List<string> Merge(List<string> piece, string left, string right)
    {
        var result = new List<string>();
        for (var i = 0; i < piece.Count; i++)
            if (i + 1 < piece.Count && piece[i] == left && piece[i + 1] == right) result.Add(piece[i] + piece[++i]);
            else result.Add(piece[i]);
        return result;
    }

    private static List<string> Spell(string text) => [.. Encoding.UTF8.GetBytes(text).Select(b => Characters[b].ToString())];

    /// <summary>GPT-2's characters: the bytes that Latin-1 prints as themselves, the others from U+0100 on.</summary>
    private static List<char> MakeCharacters()
    {
        var printed = Enumerable.Range('!', 94).Concat(Enumerable.Range('¡', 12)).Concat(Enumerable.Range('®', 82)).ToHashSet();
        var others = Enumerable.Range(0, 256).Where(b => !printed.Contains(b)).ToList();
        return [.. Enumerable.Range(0, 256).Select(b => (char)(printed.Contains(b) ? b : 256 + others.IndexOf(b)))];
    }
}
