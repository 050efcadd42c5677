namespace DeRa.Cli.Simulate;

/// <summary>A conversation: instructions that others share, then turns, each of which sends all that came before.</summary>
/// <param name="Id">Which one.</param>
/// <param name="Prefix">Its instructions.</param>
/// <param name="PrefixTokens">Their length.</param>
internal sealed record SimulatedConversation(int Id, int Prefix, int PrefixTokens)
{
    /// <summary>Tokens of its turns so far, the replies included.</summary>
    public int HistoryTokens { get; set; }
}

/// <summary>Conversations as they come: their instructions by Zipf's law, their turns and pauses at random. The same ones for a seed.</summary>
internal sealed class ConversationTraffic
{
    /// <summary>What a user writes in a turn.</summary>
    public const int TurnTokens = 80;

    /// <summary>Turns of a conversation, in the mean: after each there is another one with the same probability.</summary>
    public const double MeanTurns = 5;

    private const int FewestPrefixTokens = 200, MostPrefixTokens = 2000;
    private const double MeanReplyTokens = 150, MeanPauseSeconds = 10;

    private readonly Random _random;
    private readonly double[] _cumulative;
    private readonly int[] _prefixTokens;
    private int _conversations;

    /// <summary>Makes the instructions.</summary>
    public ConversationTraffic(SimulationOptions options)
    {
        _random = new Random(options.Seed);
        _prefixTokens = [.. Enumerable.Range(0, options.Prefixes).Select(_ => _random.Next(FewestPrefixTokens, MostPrefixTokens + 1))];
        var sum = 0.0;
        _cumulative = [.. Enumerable.Range(1, options.Prefixes).Select(rank => sum += Math.Pow(rank, -options.Zipf))];
    }

    /// <summary>Begins a conversation.</summary>
    public SimulatedConversation Next()
    {
        var place = Array.BinarySearch(_cumulative, _random.NextDouble() * _cumulative[^1]);
        var prefix = Math.Min(place < 0 ? ~place : place, _cumulative.Length - 1);
        return new SimulatedConversation(_conversations++, prefix, _prefixTokens[prefix]);
    }

    /// <summary>Whether it goes on.</summary>
    public bool HasAnotherTurn() => _random.NextDouble() < 1 - 1 / MeanTurns;

    /// <summary>Length of a reply.</summary>
    public int ReplyTokens() => 1 + (int)Exponential(MeanReplyTokens);

    /// <summary>Seconds until the user has read a reply and written more.</summary>
    public double PauseSeconds() => Exponential(MeanPauseSeconds);

    /// <summary>Seconds until the next conversation begins.</summary>
    public double GapSeconds(double rate) => Exponential(1 / rate);

    private double Exponential(double mean) => -mean * Math.Log(1 - _random.NextDouble());
}
