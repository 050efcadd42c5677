using System.Globalization;
using DeRa.Gateway.Balancing;
using DeRa.Gateway.Tests.Fixtures;
using DeRa.Testing.Server;
using Xunit;

namespace DeRa.Gateway.Tests;

/// <summary>Four replicas behind the gateway under a replayed load of conversations with mixed strengths.</summary>
public class ReplayTests(ITestOutputHelper output)
{
    private const int Conversations = 24, Turns = 4, AtOnce = 8;

    [Fact]
    public async Task Nothing_is_lost_before_its_first_byte_while_replicas_die_drain_slow_and_come_back()
    {
        var slow = false;
        var slowing = TestReplica.Roomy();
        slowing.BeforeStep = _ =>
        {
            // A device that takes some milliseconds for a step.
            if (Volatile.Read(ref slow)) slowing.TestOver.WaitHandle.WaitOne(3);
        };
        TestReplica[] replicas = [await TestReplica.StartAsync(), await TestReplica.StartAsync(), await TestReplica.StartAsync(slowing),
            await TestReplica.StartAsync()];
        await using var gateway = await GatewayFixture.StartAsync([.. replicas.Select(replica => replica.Address)]);
        Task? drained = null;
        var load = new ReplayedLoad(Conversations, Turns, AtOnce)
        {
            Progress = async ended =>
            {
                if (ended == 10) Volatile.Write(ref slow, true);
                if (ended == 20) replicas[0].Kill();
                if (ended == 35) drained = replicas[1].DrainAsync();
                if (ended == 50) replicas[3].Kill();
                if (ended == 65) await replicas[3].RestartAsync();
            },
        };
        var played = await load.RunAsync(gateway.Http);
        await drained!;

        Assert.Equal(Conversations * Turns, played.Count);
        Assert.All(played, turn => Assert.True(turn.HasFinished ^ turn.HasErrorEvent, turn.Text));
        // Only what ran where a machine lost its power.
        Assert.InRange(played.Count(turn => turn.HasErrorEvent), 0, 2 * AtOnce);
        await using var alone = await TestReplica.StartAsync();
        foreach (var turn in played.Where(turn => turn.HasFinished).OrderBy(turn => turn.Body).Take(20))
            Assert.Equal((await ReplayedLoad.SendAsync(alone.Server.Http, turn.Body)).Text, turn.Text);
        output.WriteLine($"{played.Count} requests: {played.Count(turn => turn.HasFinished)} finished, "
            + $"{played.Count(turn => turn.HasErrorEvent)} ended with an error event after their first byte.");
        foreach (var replica in replicas) await replica.DisposeAsync();
    }

    [Fact]
    public async Task More_of_the_prompts_is_cached_than_with_round_robin_and_the_load_is_nearly_as_even()
    {
        var rows = new List<(PolicyName Policy, double Cached, double MaxOverMean)>();
        foreach (var policy in Enum.GetValues<PolicyName>()) rows.Add(await RunAsync(policy));
        output.WriteLine("| policy | prompt tokens cached | max/mean requests of a replica |\n|---|---|---|");
        foreach (var row in rows)
            output.WriteLine(string.Create(CultureInfo.InvariantCulture,
                $"| {DeRa.Hosting.Options.OptionWords.Format(row.Policy)} | {row.Cached:P1} | {row.MaxOverMean:0.00} |"));
        var affinity = rows.Single(row => row.Policy == PolicyName.PrefixAffinity);
        Assert.All(rows.Where(row => row != affinity), other => Assert.True(affinity.Cached > other.Cached + .05));
        Assert.InRange(affinity.MaxOverMean, 1, 2.5);
    }

    private static async Task<(PolicyName Policy, double Cached, double MaxOverMean)> RunAsync(PolicyName policy)
    {
        var replicas = new List<TestReplica>();
        for (var i = 0; i < 4; i++) replicas.Add(await TestReplica.StartAsync());
        var options = GatewayFixture.Options([.. replicas.Select(replica => replica.Address)]);
        await using var gateway = await GatewayFixture.StartAsync(options with { Balancing = new() { Policy = policy } });
        var played = await new ReplayedLoad(Conversations, Turns, AtOnce).RunAsync(gateway.Http);
        Assert.All(played, turn => Assert.True(turn.HasFinished));
        var counts = new List<double>();
        foreach (var replica in replicas)
            counts.Add(await gateway.MetricAsync($"dera_gateway_requests_total{{outcome=\"ok\",replica=\"{replica.Name}\"}}"));
        Assert.Equal(Conversations * Turns, counts.Sum());
        foreach (var replica in replicas) await replica.DisposeAsync();
        return (policy, played.Sum(turn => turn.CachedTokens) / (double)played.Sum(turn => turn.PromptTokens),
            counts.Max() / counts.Average());
    }
}
