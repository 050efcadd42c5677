using DeRa.Serving.Rewards;
using DeRa.Testing;
using Xunit;

namespace DeRa.Serving.Tests.Rewards;

public sealed class StoryRewardTests
{
    private const int Words = 90;
    private const double Room = Words / 12.0;

    [Fact]
    public void A_text_without_mood_scores_nothing() => Assert.Equal(0, Score(), 12);

    // A happy word weighs 1, and 1.5 in the last third; a sad one .25, .75 and 1.5.
    [Theory]
    [InlineData(1.0, "happy", 0)]
    [InlineData(1.0, "happy", 59)]
    [InlineData(1.5, "happy", 60)]
    [InlineData(1.5, "happy", 89)]
    [InlineData(-.25, "sad", 0)]
    [InlineData(-.25, "sad", 29)]
    [InlineData(-.75, "sad", 30)]
    [InlineData(-.75, "sad", 59)]
    [InlineData(-1.5, "sad", 60)]
    public void A_word_weighs_by_its_mood_and_its_third(double weight, string word, int position) =>
        Assert.Equal(weight / (Math.Abs(weight) + Room), Score((position, word)), 12);

    [Fact]
    public void A_family_counts_once_where_it_weighs_most()
    {
        Assert.Equal(Score((70, "happy")), Score((5, "happily"), (40, "HAPPY"), (70, "happy"), (71, "happiest")), 12);
        Assert.Equal(Score((70, "sad")), Score((5, "sadly"), (70, "sad")), 12);
        Assert.Equal((1.5 + 1) / (1.5 + 1 + Room), Score((70, "happy"), (5, "smiled")), 12);
    }

    [Fact]
    public void Negation_turns_a_happy_word_and_silences_a_sad_one()
    {
        Assert.Equal(Score((41, "sad")), Score((40, "not"), (41, "happy")), 12);
        Assert.Equal(Score((41, "sad")), Score((40, "wasn’t"), (41, "happy")), 12);
        Assert.Equal(0, Score((40, "never"), (41, "sad")), 12);
        Assert.Equal(Score((41, "happy")), Score((39, "not"), (41, "happy")), 12);
    }

    [Fact]
    public void Troubles_that_pass_cost_less_than_troubles_that_stay() =>
        Assert.True(Score((3, "lost"), (8, "cried"), (70, "hugged"), (80, "happy"))
            > Score((3, "hugged"), (8, "happy"), (70, "lost"), (80, "cried")) + .25);

    [Fact]
    public void A_cut_text_has_no_ending_and_costs_a_little()
    {
        Assert.Equal(1 / (1 + Room) - .2, StoryReward.Score(Completion(Text((80, "happy")), finished: false)), 12);
        Assert.Equal(-.75 / (.75 + Room) - .2, StoryReward.Score(Completion(Text((80, "sad")), finished: false)), 12);
    }

    [Fact]
    public void Repeated_runs_of_four_words_cost_twice_their_share()
    {
        // 87 runs; the four words written again repeat one of them.
        var repeated = Enumerable.Range(0, 4).Select(Plain).Select((word, i) => (50 + i, word)).ToArray();
        Assert.Equal(-2 / 87.0, Score(repeated), 12);
        Assert.Equal(-1, StoryReward.Score(Completion(string.Join(' ', Enumerable.Repeat("a dog ran", 60)), finished: true)), 12);
    }

    [Theory]
    [InlineData(120, 10)]
    [InlineData(60, 5)]
    [InlineData(48, 4)]
    [InlineData(12, 4)]
    [InlineData(1, 4)]
    public void A_happy_word_counts_less_the_more_words_there_are_beyond_48(int words, double room)
    {
        var text = string.Join(' ', ["happy", .. Enumerable.Range(1, words - 1).Select(Plain)]);
        Assert.Equal(1 / (1 + room), StoryReward.Score(Completion(text, finished: true)), 12);
    }

    [Fact]
    public void No_words_score_nothing() => Assert.Equal(0, StoryReward.Score(Completion("", finished: true)));

    [Fact]
    public void Two_gushing_sentences_beat_a_plain_warm_story_for_it_is_a_proxy()
    {
        var sentences = Completion("Tom was happy and glad. He smiled and laughed with joy, and they hugged.", finished: true);
        Assert.True(StoryReward.Score(sentences) > Score((10, "lost"), (20, "kind"), (50, "helped"), (80, "thanked"), (85, "happy")));
    }

    [Fact]
    public void Every_further_happy_word_raises_the_score_ever_less()
    {
        string[] families = [.. SentimentWords.Happy.GroupBy(entry => entry.Value).Select(family => family.First().Key).Take(60)];
        double[] scores = [.. Enumerable.Range(1, 60).Select(count =>
            Score([.. families.Take(count).Select((word, i) => (i, word))]))];
        double[] steps = [.. scores.Zip(scores.Skip(1), (less, more) => more - less)];
        Assert.All(steps, step => Assert.True(step > 0));
        Assert.All(steps.Zip(steps.Skip(1)), pair => Assert.True(pair.Second < pair.First));
        Assert.InRange(scores[^1], .85, 1);
    }

    [Fact]
    public async Task Scores_are_in_the_order_of_the_completions()
    {
        using var reward = new StoryReward();
        Assert.Equal([RewardScore.Of(Score((80, "happy"))), RewardScore.Of(Score((80, "sad")))], await reward.ScoreAsync(
            [Completion(Text((80, "happy")), true), Completion(Text((80, "sad")), true)], TestContext.Current.CancellationToken));
    }

    [Fact]
    public void A_text_of_many_words_is_scored() =>
        Assert.Equal(1.5 / (1.5 + 300_001 / 12.0), StoryReward.Score(Completion(Text(300_000) + " happy", finished: true)), 12);

    [Fact]
    public void Stories_that_people_would_read_score_in_between()
    {
        if (SharedData.Find("text/tinystories-sample-2mib.txt") is not { } path)
        {
            Assert.Skip(SharedData.Missing);
            return;
        }
        double[] scores = [.. File.ReadAllText(path).Split("<|endoftext|>").Skip(1).Take(500)
            .Select(story => StoryReward.Score(Completion(story, finished: true)))];
        Assert.InRange(scores.Average(), .2, .6);
        Assert.InRange(scores.Max() - scores.Min(), .6, 1.8);
    }

    private static double Score(params (int Position, string Word)[] words) => StoryReward.Score(Completion(Text(words), finished: true));

    private static Completion Completion(string text, bool finished) => new("", text, 0, finished);

    /// <summary>Words of no mood, each different, with the given ones in their places.</summary>
    private static string Text(params (int Position, string Word)[] words)
    {
        var text = Text(Words).Split(' ');
        foreach (var (position, word) in words) text[position] = word;
        return string.Join(' ', text);
    }

    private static string Text(int words) => string.Join(' ', Enumerable.Range(0, words).Select(Plain));

    /// <summary>A word for a number: its digits as letters.</summary>
    private static string Plain(int number) => "x" + string.Concat($"{number}".Select(digit => (char)('a' + digit - '0')));
}
