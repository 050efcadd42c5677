namespace DeRa.Benchmarks.Load;

/// <summary>
/// What clients write: words of small children's stories, so that any model's tokenizer needs one or two tokens for each. Other ones in
/// every run: a server may still hold those of the last run.
/// </summary>
/// <param name="seed">The run.</param>
/// <param name="systemWords">Words of the system prompt.</param>
internal sealed class ConversationTexts(int seed, int systemWords)
{
    private const int UserWords = 12;

    private static readonly string[] s_words =
    [
        "went", "to", "the", "park", "and", "saw", "a", "big", "red", "ball", "she", "he", "was", "very", "happy", "with", "his",
        "mom", "dog", "cat", "tree", "house", "little", "girl", "boy", "play", "said", "yes", "no", "they", "found", "box", "under",
        "bed", "sun", "day", "fun", "bird", "sang", "song", "water", "fish", "swim", "run", "fast", "slow", "jump", "high", "friend",
        "toy", "car", "blue", "green", "small", "old", "new", "cake", "eat", "food", "help", "love", "look", "up", "down", "in", "out",
        "garden", "flower", "rain", "snow",
    ];

    /// <summary>The same for every conversation; empty where it has no words.</summary>
    public string System { get; } = Words(new Random(seed), systemWords);

    /// <summary>What the user writes.</summary>
    /// <param name="conversation">Which conversation, from 0.</param>
    /// <param name="turn">Which turn of it, from 0.</param>
    public string User(int conversation, int turn) => Words(new Random(HashCode.Combine(seed, conversation, turn)), UserWords);

    private static string Words(Random random, int count) => string.Join(' ', random.GetItems(s_words, count));
}
