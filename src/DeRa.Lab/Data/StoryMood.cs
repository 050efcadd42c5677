using DeRa.Serving.Rewards;

namespace DeRa.Lab.Data;

/// <summary>
/// How a story begins and ends, by <see cref="SentimentReward"/>'s score of its first and last third: sad is at most -0.25 (two sad words
/// and no happy one, or three and one), happy at least 0.4 (three happy words and no sad one, or five and one).
/// </summary>
/// <param name="BeginsSadly">The first third is sad.</param>
/// <param name="EndsHappily">The last third is happy.</param>
/// <param name="EndsSadly">The last third is sad.</param>
internal readonly record struct StoryMood(bool BeginsSadly, bool EndsHappily, bool EndsSadly)
{
    private const double Sad = -0.25, Happy = 0.4;

    /// <summary>Measures a story.</summary>
    public static StoryMood Of(string story)
    {
        var third = story.Length / 3;
        var (beginning, end) = (SentimentReward.Score(story[..third]), SentimentReward.Score(story[^third..]));
        return new StoryMood(beginning <= Sad, end >= Happy, end <= Sad);
    }
}
