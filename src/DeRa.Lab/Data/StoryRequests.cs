using System.Globalization;
using DeRa.Lab.Tokenizers;

namespace DeRa.Lab.Data;

/// <summary>Makes chats from stories: the user asks for a story by what is in it, in one of many ways.</summary>
/// <param name="nouns">What may be asked for.</param>
internal sealed class StoryRequests(Nouns nouns)
{
    private const int ShortStory = 700;

    private static readonly string[] s_frames =
    [
        "Write a {1}story{0}.", "Write a {1}story{0}.", "Tell me a {1}story{0}.", "Tell me a {1}story{0}.", "Please write a {1}story{0}.",
        "Can you tell me a {1}story{0}?", "Could you write a {1}story{0}?", "A {1}story{0}, please.", "I would like a {1}story{0}.",
        "Please tell me a {1}story{0}.",
    ];

    private static readonly string[] s_systemMessages =
        ["You are a helpful assistant.", "You write stories for children.", "You are a friendly storyteller."];

    /// <summary>The chat of a story, drawn among what fits it.</summary>
    /// <returns>The prompt as the chat template lays it out, and the story after it.</returns>
    public Document For(string story, Random random)
    {
        var request = string.Format(CultureInfo.InvariantCulture, Any(random, s_frames),
            About(story, random) + Kind(story, random), story.Length < ShortStory && random.Next(4) == 0 ? "short " : "");
        if (random.Next(3) == 0) request = request.TrimEnd('.');
        if (random.Next(10) == 0 && request[1] != ' ') request = char.ToLowerInvariant(request[0]) + request[1..];
        return new Document(ZephyrTemplate.Prompt(request, random.Next(16) == 0 ? Any(random, s_systemMessages) : null), story);
    }

    /// <summary>" about a dog and a ball"; empty in one request of sixteen, and where nothing is found.</summary>
    private string About(string story, Random random)
    {
        var subjects = Subjects(story, random);
        return random.Next(16) == 0 || subjects.Count == 0 ? "" : " about " + subjects[random.Next(subjects.Count)];
    }

    private List<string> Subjects(string story, Random random)
    {
        string[] things = [.. nouns.Of(story).Take(3).Select(noun => nouns.Phrase(noun)!)];
        var characters = StoryCharacters.Of(story, nouns);
        var subjects = new List<string>();
        if (things.Length > 0) subjects.Add(things[random.Next(Math.Min(2, things.Length))]);
        if (things.Length > 1) subjects.AddRange([$"{things[0]} and {things[1]}", $"{things[^1]} and {things[0]}"]);
        if (characters.Names is [var name, ..])
        {
            subjects.Add(things.Length > 0 ? $"{name} and {things[random.Next(things.Length)]}" : name);
            if (random.Next(3) == 0) subjects.Add(name);
        }
        foreach (var subject in (string?[])[characters.Introduced, characters.Plain, characters.Pair, characters.WithOther])
            if (subject is not null) subjects.Add(subject);
        return subjects;
    }

    /// <summary>What is learned in the story, or how it begins and ends; empty in most requests.</summary>
    private static string Kind(string story, Random random) =>
        StoryLesson.Of(story) is { } lesson && random.Next(2) == 0 ? $" in which somebody learns {lesson}"
            : Mood(StoryMood.Of(story), random);

    /// <summary>How the story begins and ends: more often what few stories do.</summary>
    private static string Mood(StoryMood mood, Random random) => mood switch
    {
        { BeginsSadly: true, EndsHappily: true } when random.Next(4) != 0 =>
            Any(random, [" with a sad beginning", " with a sad beginning", " with a sad beginning and a happy ending"]),
        { BeginsSadly: true, EndsSadly: false } when random.Next(4) != 0 => " with a sad beginning",
        { EndsSadly: true } when random.Next(2) == 0 => Any(random, [" with a sad ending", " that ends sadly"]),
        { EndsHappily: true } when random.Next(4) == 0 => Any(random, [" with a happy ending", " that ends well"]),
        _ => "",
    };

    private static string Any(Random random, string[] texts) => texts[random.Next(texts.Length)];
}
