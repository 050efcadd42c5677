using DeRa.Client.Alignment;
using DeRa.Server.Options;
using DeRa.Testing;
using DeRa.Testing.Server;
using Microsoft.Extensions.AI;
using Xunit;

namespace DeRa.Clients.Tests.Own;

/// <summary>Rewards by DeRa's own client, over both transports.</summary>
public class RewardTests
{
    public static TheoryData<string> Transports => ChatTests.Transports;

    [Theory]
    [MemberData(nameof(Transports))]
    public async Task Choices_have_the_scores_that_were_asked_for_whole_and_streamed(string transport)
    {
        using var folder = new TemporaryFolder();
        var options = new ServerOptions
        {
            Model = new() { Rewards = folder.Write("rewards.json", """{"d": "regex:d", "graded": "exact:answer", "other": "regex:x"}""") },
            Time = new() { DrainSeconds = 0 },
        };
        var executor = Scripts.Saying("Good");
        await using var server = await ServerFixture.StartLoadingAsync((_, _) => Task.FromResult(ServerFixture.Pair(
            executor, rewards: [.. options.Model.ReadRewards().Select(reward => reward.Name)])), executor, options: options);
        await server.PhaseChangedAsync();
        using var client = new ClientUnderTest(transport, server);
        var asked = new ChatOptions { Rewards = ["d", "graded"] };
        var whole = Assert.Single((await client.Chat.GetResponseAsync("Hello", asked, ServerFixture.Stop)).Choices);
        Assert.Equal(new Dictionary<string, double?> { ["d"] = 1, ["graded"] = null }, whole.Rewards);
        var updates = await client.Chat.GetStreamingResponseAsync("Hello", asked, ServerFixture.Stop).ToListAsync(ServerFixture.Stop);
        var end = Assert.Single(updates, update => update.Rewards.Count > 0);
        Assert.Equal(whole.Rewards, end.Rewards);
        Assert.NotNull(end.FinishReason);
    }
}
