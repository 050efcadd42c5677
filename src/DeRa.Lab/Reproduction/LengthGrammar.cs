using DeRa.Lab.Data;

namespace DeRa.Lab.Reproduction;

/// <summary>
/// Texts of a small grammar for the length experiment. Their words have little entropy, so that the policy gradient is almost only
/// about what the reward depends on: when to stop.
/// </summary>
internal static class LengthGrammar
{
    private const int Sentences = 40;
    private static readonly string[] s_subjects = ["cat", "dog", "bird", "fish", "bear", "frog", "horse", "mouse"];
    private static readonly string[] s_verbs = ["saw", "found", "liked"];
    private static readonly string[] s_objects = ["ball", "tree", "house"];

    /// <summary>Texts of 40 sentences, each text about one animal; 3 verbs and 3 objects, all equally likely.</summary>
    public static IReadOnlyList<Document> Texts(int count, long seed)
    {
        var random = new Random((int)seed);
        return [.. Enumerable.Range(0, count).Select(_ => Text(random))];
    }

    private static Document Text(Random random)
    {
        var subject = Pick(s_subjects, random);
        return new Document("", string.Join(' ', Enumerable.Range(0, Sentences)
            .Select(_ => $"The {subject} {Pick(s_verbs, random)} the {Pick(s_objects, random)}.")));
    }

    private static string Pick(string[] words, Random random) => words[random.Next(words.Length)];
}
