using System.Text.Json;
using DeRa.Serving.Rewards;
using DeRa.Testing;
using Xunit;

namespace DeRa.Serving.Tests.Rewards;

public sealed class CachedRewardTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task What_was_scored_is_not_asked_again_by_the_next_process_either()
    {
        var counting = new Counting();
        using (var first = Cached(counting)) Assert.Equal([1, 2, 1], await ScoresOf(first, "a", "bb", "a"));
        using var second = Cached(counting);
        Assert.Equal([2, 3, 1], await ScoresOf(second, "bb", "ccc", "a"));
        Assert.Equal(["a", "bb", "ccc"], counting.Heard);
    }

    [Fact]
    public async Task All_that_a_reward_sees_is_the_content()
    {
        var counting = new Counting();
        using var reward = Cached(counting);
        var item = JsonElement.Parse("""{"answer": 1}""");
        Completion[] completions =
        [
            new("", "a", 1, true), new("p", "a", 1, true), new("", "a", 2, true), new("", "a", 1, false),
            new("", "a", 1, true) { Item = item },
        ];
        await reward.ScoreAsync([.. completions, .. completions], Cancellation);
        Assert.Equal(completions.Length, counting.Heard.Count);
    }

    [Fact]
    public async Task Failures_are_not_kept()
    {
        var counting = new Counting { Fails = true };
        using var reward = Cached(counting);
        Assert.NotNull(Assert.Single(await reward.ScoreAsync([new("", "a", 1, true)], Cancellation)).Error);
        counting.Fails = false;
        Assert.Equal([1], await ScoresOf(reward, "a"));
    }

    [Fact]
    public async Task Another_reward_has_other_scores_and_a_line_that_was_cut_off_is_none()
    {
        var (one, other) = (new Counting(), new Counting());
        using (var reward = Cached(one)) await ScoresOf(reward, "a", "bb");
        var file = Assert.Single(Directory.GetFiles(_folder.Path, "*.jsonl", SearchOption.AllDirectories));
        var text = await File.ReadAllTextAsync(file, Cancellation);
        await File.WriteAllTextAsync(file, text[..^10], Cancellation);
        using (var reward = Cached(one)) await ScoresOf(reward, "a", "bb");
        using (var reward = Cached(other, "other")) await ScoresOf(reward, "a");
        Assert.Equal(["a", "bb", "bb"], one.Heard);
        Assert.Equal(["a"], other.Heard);
    }

    [Fact]
    public async Task A_specification_s_reward_is_kept_where_the_settings_name_a_folder()
    {
        using var server = new ScoringServer((200, """{"scores": [1]}"""));
        var settings = new RewardSettings { CacheFolder = Path.Combine(_folder.Path, "new", "cache") };
        for (var i = 0; i < 2; i++)
        {
            using var reward = RewardSpec.Parse(server.Address.ToString(), settings);
            Assert.Equal([1], await ScoresOf(reward, "a"));
        }
        Assert.Single(server.Received);
    }

    private CachedReward Cached(IReward reward, string name = "one") => new(reward, new RewardCache(_folder.Path, name));

    private static async Task<IEnumerable<double>> ScoresOf(IReward reward, params string[] texts) =>
        (await reward.ScoreAsync([.. texts.Select(text => new Completion("", text, 1, true))], Cancellation))
            .Select(score => score.Required());

    private sealed class Counting : IReward
    {
        public string Name => "counting";

        public bool Fails { get; set; }

        public List<string> Heard { get; } = [];

        public ValueTask<IReadOnlyList<RewardScore>> ScoreAsync(IReadOnlyList<Completion> completions, CancellationToken cancellation)
        {
            Heard.AddRange(completions.Select(completion => completion.Text));
            return new([.. completions.Select(completion => Fails ? RewardScore.Failed("no") : RewardScore.Of(completion.Text.Length))]);
        }
    }
}
