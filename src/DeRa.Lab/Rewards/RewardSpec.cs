using System.Globalization;

namespace DeRa.Lab.Rewards;

/// <summary>Creates a reward from its specification.</summary>
internal static class RewardSpec
{
    /// <summary>What there is, for help texts and errors.</summary>
    public const string Known = """
          length:MIN-MAX      0 if the completion ends by itself after MIN to MAX tokens, else -1 (the paper: length:40-50)
          sentiment           how many different happy and how few sad words the text has, between -1 and 1
          story               the same with endings that weigh more, less repetition, a missing end and shortness; about -1 to 1
          command:PROGRAM …   a program that reads a JSON line for each completion and answers each with a number on a line
          http(s)://…         a server that takes {"completions": […]} by POST and answers {"scores": […]}
        """;

    // A scorer may load a model of its own before its first answer.
    private static readonly TimeSpan ResponseTimeout = TimeSpan.FromMinutes(5);
    private static readonly TimeSpan FirstRetryDelay = TimeSpan.FromSeconds(1);

    /// <summary>Reads a reward's specification: one of <see cref="Known"/>.</summary>
    /// <exception cref="RewardException">There is no such reward, or its arguments are wrong.</exception>
    public static IReward Parse(string text)
    {
        var (name, argument) = text.IndexOf(':') is >= 0 and var colon ? (text[..colon], text[(colon + 1)..]) : (text, null);
        return (name, argument) switch
        {
            ("length", not null) => Length(argument),
            ("sentiment", null) => new SentimentReward(),
            ("story", null) => new StoryReward(),
            ("command", not null) => new CommandReward(argument, ResponseTimeout),
            ("http" or "https", not null) => Http(text),
            _ => throw new RewardException($"reward '{text}' is not known; there are:\n{Known}"),
        };
    }

    private static LengthReward Length(string range)
    {
        var bounds = range.Split('-');
        return bounds.Length == 2 && Count(bounds[0]) is { } min && Count(bounds[1]) is { } max && min <= max
            ? new LengthReward(min, max)
            : throw new RewardException($"reward length: '{range}' is not MIN-MAX with 0 <= MIN <= MAX, e.g. length:40-50");
    }

    private static int? Count(string digits) =>
        int.TryParse(digits, NumberStyles.None, CultureInfo.InvariantCulture, out var value) ? value : null;

    private static HttpReward Http(string text) =>
        Uri.TryCreate(text, UriKind.Absolute, out var address) && address.Host.Length > 0
            ? new HttpReward(address, ResponseTimeout, FirstRetryDelay)
            : throw new RewardException($"reward '{text}' is not a whole address, e.g. http://localhost:9000/score");
}
