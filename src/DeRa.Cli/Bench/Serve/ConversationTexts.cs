namespace DeRa.Cli.Bench.Serve;

/// <summary>
/// What clients write: words of small children's stories, so that any model's tokenizer needs one or two tokens for each. Other ones in
/// every run: a server may still hold those of the last run.
/// </summary>
/// <param name="seed">The run.</param>
/// <param name="options">How many words.</param>
internal sealed class ConversationTexts(int seed, ServeOptions options)
{
    private static readonly string[] s_words =
    [
        "went", "to", "the", "park", "and", "saw", "a", "big", "red", "ball", "she", "he", "was", "very", "happy", "with", "his",
        "mom", "dog", "cat", "tree", "house", "little", "girl", "boy", "play", "said", "yes", "no", "they", "found", "box", "under",
        "bed", "sun", "day", "fun", "bird", "sang", "song", "water", "fish", "swim", "run", "fast", "slow", "jump", "high", "friend",
        "toy", "car", "blue", "green", "small", "old", "new", "cake", "eat", "food", "help", "love", "look", "up", "down", "in", "out",
        "garden", "flower", "rain", "snow",
    ];

    private readonly string _shared = Some(new Random(seed), Math.Min(options.SharedWords, options.PromptWords));

    /// <summary>The same for every conversation; empty where it has no words.</summary>
    public string System { get; } = Some(new Random(seed ^ 1), options.SystemWords);

    /// <summary>What the user writes.</summary>
    /// <param name="conversation">Which conversation, from 0.</param>
    /// <param name="turn">Which turn of it, from 0.</param>
    public string User(int conversation, int turn)
    {
        var random = new Random(HashCode.Combine(seed, conversation, turn));
        if (turn > 0 || _shared.Length == 0) return Some(random, options.PromptWords);
        return $"{_shared} {Some(random, options.PromptWords - options.SharedWords)}".TrimEnd();
    }

    /// <summary>Words of a text.</summary>
    public static string Some(Random random, int count) => string.Join(' ', random.GetItems(s_words, count));
}
