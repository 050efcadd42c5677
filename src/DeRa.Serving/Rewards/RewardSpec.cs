using System.Globalization;
using System.Text.RegularExpressions;

namespace DeRa.Serving.Rewards;

/// <summary>Creates a reward from its specification.</summary>
public static partial class RewardSpec
{
    /// <summary>What there is, for help texts and errors.</summary>
    public const string Known = """
          length:MIN-MAX      0 if the completion ends by itself after MIN to MAX tokens, else -1 (the paper: length:40-50)
          sentiment           how many different happy and how few sad words the text has, between -1 and 1
          story               how densely warm a story is: endings weigh more; less repetition and a missing end; about -1 to 1
          regex:PATTERN       1 if the pattern matches somewhere in the completion, else 0
          json                1 if the completion is one JSON value, else 0
          exact:FIELD         1 if the completion is the text in that field of the prompt's item, else 0
          number:FIELD        1 if the completion's number (after ####, in \boxed{}, or the last) is that field's, else 0
          command:PROGRAM …   a program that reads a JSON line for each completion and answers each with a number on a line
          http(s)://…         a server that takes {"completions": […]} by POST and answers {"scores": […]}; other forms by path or #FORM:
                              pooling (vLLM), get_reward (OpenRLHF), plain ({"prompts", "completions"})
          judge:URL#MODEL     a chat model behind an OpenAI-compatible server, asked by a rubric
          model:FOLDER        a sequence-classification model of one label
          implicit            log-probability by the aligned model less that by the reference model, of the pair that is served
          0.7*A+0.3*B         a sum of these
        """;

    /// <summary>Reads a reward's specification: one of <see cref="Known"/>.</summary>
    /// <param name="text">The specification.</param>
    /// <param name="settings">What it is made with; null = the defaults.</param>
    /// <exception cref="RewardException">There is no such reward, or its arguments are wrong.</exception>
    public static IReward Parse(string text, RewardSettings? settings = null)
    {
        settings ??= new RewardSettings();
        return Weight().Match(text) is { Success: true, Index: 0 } ? Sum(text, settings) : One(text, settings);
    }

    private static IReward One(string text, RewardSettings settings)
    {
        var (name, argument) = text.IndexOf(':') is >= 0 and var colon ? (text[..colon], text[(colon + 1)..]) : (text, null);
        return (name, argument) switch
        {
            ("length", not null) => Length(argument),
            ("sentiment", null) => new SentimentReward(),
            ("story", null) => new StoryReward(),
            ("regex", not null) => new RegexReward(argument),
            ("json", null) => new JsonReward(),
            ("exact", { Length: > 0 }) => new ExactReward(argument),
            ("number", { Length: > 0 }) => new NumberReward(argument),
            ("command", not null) => Cached(new CommandReward(argument, settings), settings),
            ("http" or "https", not null) => Cached(Http(text, settings), settings),
            ("judge", not null) => Cached(new JudgeReward(argument, settings), settings, settings.Rubric ?? JudgeReward.DefaultRubric),
            ("model", { Length: > 0 }) => Cached(new ModelReward(argument), settings, Stamp(argument)),
            ("implicit", null) => new ImplicitReward(settings.Pair
                ?? throw new RewardException("reward implicit: it needs a pair that is served, and there is none here")),
            _ => throw new RewardException($"reward '{text}' is not known; there are:\n{Known}"),
        };
    }

    private static IReward Cached(IReward reward, RewardSettings settings, string asked = "")
    {
        if (settings.CacheFolder is not { } folder) return reward;
        try
        {
            return new CachedReward(reward, new RewardCache(folder, reward.Name + "\n" + asked));
        }
        catch
        {
            reward.Dispose();
            throw;
        }
    }

    /// <summary>What changes where a model's files do.</summary>
    private static string Stamp(string folder) => string.Join('\n', new DirectoryInfo(folder).EnumerateFiles()
        .OrderBy(file => file.Name, StringComparer.Ordinal)
        .Select(file => string.Create(CultureInfo.InvariantCulture, $"{file.Name} {file.Length} {file.LastWriteTimeUtc.Ticks}")));

    private static SumReward Sum(string text, RewardSettings settings)
    {
        var terms = new List<(double, IReward)>();
        try
        {
            var weights = Weight().Matches(text);
            for (var i = 0; i < weights.Count; i++)
            {
                var (start, end) = (weights[i].Index + weights[i].Length, i + 1 < weights.Count ? weights[i + 1].Index : text.Length);
                var weight = double.Parse(
                    weights[i].Groups["weight"].Value.Replace(" ", "", StringComparison.Ordinal), CultureInfo.InvariantCulture);
                terms.Add((weight, One(text[start..end].Trim(), settings)));
            }
            return new SumReward(text, terms);
        }
        catch
        {
            foreach (var (_, reward) in terms) reward.Dispose();
            throw;
        }
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

    private static HttpReward Http(string text, RewardSettings settings) =>
        Uri.TryCreate(text, UriKind.Absolute, out var address) && address.Host.Length > 0
            ? new HttpReward(address, settings)
            : throw new RewardException($"reward '{text}' is not a whole address, e.g. http://localhost:9000/score");

    /// <summary>A term's weight: at the beginning, or after a sign.</summary>
    [GeneratedRegex(@"(?<weight>(?:^ *[-+]?|[-+]) *(?:\d+(?:\.\d*)?|\.\d+)) *\*", RegexOptions.CultureInvariant)]
    private static partial Regex Weight();
}
