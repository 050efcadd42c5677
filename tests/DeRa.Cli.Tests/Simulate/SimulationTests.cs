using DeRa.Cli.Simulate;
using DeRa.Gateway.Balancing;
using DeRa.Testing;
using Xunit;

namespace DeRa.Cli.Tests.Simulate;

public class SimulationTests
{
    private static readonly SimulationOptions s_small = new() { Replicas = 8, RequestsPerReplica = 150, Prefixes = 100 };

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public void The_same_seed_gives_the_same_figures_and_another_one_others()
    {
        Assert.Equal(Simulation.Run(s_small, Stop), Simulation.Run(s_small, Stop));
        Assert.NotEqual(Simulation.Run(s_small, Stop).CachedShare, Simulation.Run(s_small with { Seed = 1 }, Stop).CachedShare);
    }

    [Fact]
    public void Affinity_caches_more_and_its_first_tokens_come_sooner()
    {
        var affine = Simulation.Run(s_small, Stop);
        foreach (var policy in (PolicyName[])[PolicyName.RoundRobin, PolicyName.LeastRequests])
        {
            var other = Simulation.Run(s_small with { Policy = policy }, Stop);
            Assert.True(affine.CachedShare > other.CachedShare + .1);
            Assert.True(affine.FirstTokenP50 < other.FirstTokenP50);
            Assert.Null(other.MovedByLeaving);
        }
        Assert.Equal(8 * 150 / 2, affine.Requests);
        Assert.InRange(affine.MovedByLeaving!.Value, .09, .16);
        Assert.InRange(affine.MovedByJoining!.Value, .08, .14);
    }

    [Fact]
    public void One_replica_that_has_room_for_everything_reads_each_text_once()
    {
        var one = Simulation.Run(new() { Replicas = 1, RequestsPerReplica = 400, Prefixes = 1, Rate = 1 }, Stop);
        Assert.Equal(1, one.MaxOverMean);
        Assert.True(one.CachedShare > .9);
        Assert.Null(one.MovedByLeaving);
    }

    [Fact]
    public void A_cache_keeps_what_was_used_last_and_a_history_needs_its_instructions()
    {
        var cache = new SimulatedCache(1000);
        var (first, second, large) = (new SimulatedConversation(0, 0, 300), new SimulatedConversation(1, 0, 300),
            new SimulatedConversation(2, 1, 600));
        Assert.Equal(0, cache.Read(first, 400, 50));
        Assert.Equal(300, cache.Read(second, 400, 50));
        Assert.Equal(450, cache.Read(first, 530, 50));
        Assert.Equal(300 + 150 + 280, cache.Tokens);
        Assert.Equal(0, cache.Read(large, 700, 0));
        Assert.Equal(700, cache.Read(large, 800, 0));
        // Instructions and history of the two before went, the least recently used first.
        Assert.Equal(0, cache.Read(second, 500, 0));
    }

    [Fact]
    public async Task The_command_prints_a_row_for_each_policy_and_draws_a_plot()
    {
        using var folder = new TemporaryFolder();
        var plot = Path.Combine(folder.Path, "plot.svg");
        var run = await CommandRun.OfAsync("simulate", "--replicas", "2,4", "--requests", "40", "--plot", plot);
        Assert.Equal((0, ""), (run.Code, run.Error));
        var rows = run.Out.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.Equal(2 + 2 * 4, rows.Length);
        Assert.StartsWith("| 2 | prefix-affinity, 1,024 bytes | ", rows[2], StringComparison.Ordinal);
        Assert.StartsWith("| 4 | round-robin | ", rows[^1], StringComparison.Ordinal);
        Assert.Contains("prefix-affinity, 16,384 bytes", await File.ReadAllTextAsync(plot, Stop), StringComparison.Ordinal);
        var wrong = await CommandRun.OfAsync("simulate", "--replicas", "0");
        Assert.Equal(2, wrong.Code);
        Assert.Contains("--replicas holds '0'; it must be numbers from 1 to 10000", wrong.Error, StringComparison.Ordinal);
    }
}
