using System.Globalization;
using System.Text.RegularExpressions;
using DeRa.Text.Chat;

namespace DeRa.Lab.Data;

/// <summary>Makes chats from stories: the user asks for a story about one or two things in it.</summary>
internal static partial class StoryRequests
{
    private static readonly string[] s_requests =
    [
        "Write a story about {0}.", "Tell me a story about {0}.", "Write a short story about {0}.",
        "Can you tell a story about {0}?", "A story about {0}, please.",
    ];

    /// <summary>The chat of a story, or null if no thing is found in it.</summary>
    /// <returns>The prompt as the plain chat template lays it out, and the story after it.</returns>
    public static Document? For(string story, Random random)
    {
        var things = Things(story);
        if (things.Count == 0) return null;
        var about = things.Count > 1 && random.Next(2) == 0
            ? $"{WithArticle(things[0])} and {WithArticle(things[1])}"
            : WithArticle(things[random.Next(Math.Min(2, things.Count))]);
        var request = string.Format(CultureInfo.InvariantCulture, s_requests[random.Next(s_requests.Length)], about);
        if (random.Next(3) == 0) request = request.TrimEnd('.');
        return new Document(PlainChatTemplate.Render([new ChatMessage("user", request)]), " " + story);
    }

    /// <summary>The nouns that a story names most often, at least twice: words between an article and what can follow a noun.</summary>
    private static List<string> Things(string story) =>
        [.. Noun().Matches(story.ToLowerInvariant()).Select(match => match.Groups[1].Value)
            .Where(noun => noun.Length > 2 && !noun.EndsWith("ly", StringComparison.Ordinal))
            .CountBy(noun => noun).Where(noun => noun.Value >= 2).OrderByDescending(noun => noun.Value).Select(noun => noun.Key).Take(3)];

    private static string WithArticle(string noun) => noun.EndsWith('s') ? noun : ("aeiou".Contains(noun[0]) ? "an " : "a ") + noun;

    [GeneratedRegex(@"\b(?:a|an|the|his|her|their)\s+"
        + @"(?:(?:little|big|small|old|new|red|blue|nice|pretty|shiny|happy|sad|kind)\s+)?"
        + @"([a-z]+)(?=\s*[.,!?]|\s+(?:and|was|is|in|on|to|with|that|named|who|had|said|of)\b)")]
    private static partial Regex Noun();
}
