using DeRa.Gateway.Balancing;
using Xunit;

namespace DeRa.Gateway.Tests.Balancing;

public class PrefixAffinityTests
{
    [Fact]
    public void While_loads_are_even_a_key_always_goes_to_the_same_replica()
    {
        var policy = new PrefixAffinity(1);
        var replicas = Replicas(8, load: 4);
        for (var key = 0UL; key < 100; key++)
        {
            var choices = Enumerable.Range(0, 5).Select(_ => policy.Choose(key, replicas)).Distinct().ToList();
            Assert.True(Assert.Single(choices).IsFirst);
        }
    }

    [Theory]
    [InlineData(1.25)]
    [InlineData(2)]
    public void No_replica_gets_more_than_the_bound_however_popular_a_key_is(double bound)
    {
        var random = new Random(3);
        var policy = new PrefixAffinity(1, bound);
        var replicas = Replicas(16);
        for (var i = 0; i < 5_000; i++)
        {
            // Nine in ten requests begin the same way; some end meanwhile.
            var key = random.Next(10) > 0 ? 7UL : (ulong)random.Next();
            var chosen = policy.Choose(key, replicas).Index;
            var total = replicas.Sum(replica => replica.Load) + 1;
            replicas[chosen] = replicas[chosen] with { Load = replicas[chosen].Load + 1 };
            Assert.InRange(replicas[chosen].Load, 1, Math.Ceiling(bound * total / replicas.Length));
            var busy = random.Next(replicas.Length);
            if (replicas[busy].Load > 0) replicas[busy] = replicas[busy] with { Load = replicas[busy].Load - 1 };
        }
    }

    [Fact]
    public void A_key_beyond_the_bound_goes_on_in_its_own_order_then_to_the_lower_of_two_loads()
    {
        var policy = new PrefixAffinity(1);
        var replicas = Replicas(16);
        Span<int> order = stackalloc int[16];
        RendezvousHash.Order(5, replicas, order);
        for (var place = 0; place < PrefixAffinity.DefaultDepth; place++)
        {
            Assert.Equal(new Choice(order[place], place == 0), policy.Choose(5, replicas));
            replicas[order[place]] = replicas[order[place]] with { Load = 100 };
        }
        var beyond = Enumerable.Range(0, 200).Select(_ => policy.Choose(5, replicas).Index).ToHashSet();
        Assert.Equal(order[PrefixAffinity.DefaultDepth..].ToArray().Order(), beyond.Order());
    }

    [Fact]
    public void A_replica_that_starts_slowly_gets_its_share_of_the_load()
    {
        var policy = new PrefixAffinity(1);
        var replicas = Replicas(4);
        replicas[2] = replicas[2] with { Share = .1 };
        for (var i = 0; i < 1_000; i++)
        {
            var chosen = policy.Choose((ulong)i * 0x9E3779B97F4A7C15, replicas).Index;
            replicas[chosen] = replicas[chosen] with { Load = replicas[chosen].Load + 1 };
        }
        Assert.InRange(replicas[2].Load, 1, Math.Ceiling(1.25 * 1_000 * .1 / 3.1));
        Assert.All([0, 1, 3], full => Assert.InRange(replicas[full].Load, 250, Math.Ceiling(1.25 * 1_000 / 3.1)));
    }

    [Theory]
    [InlineData(PolicyName.PrefixAffinity)]
    [InlineData(PolicyName.LeastRequests)]
    [InlineData(PolicyName.RoundRobin)]
    public void The_same_seed_gives_the_same_choices(PolicyName name)
    {
        List<Choice> Run()
        {
            var policy = Policies.Create(name, seed: 9);
            var replicas = Replicas(5);
            return [.. Enumerable.Range(0, 300).Select(i =>
            {
                var choice = policy.Choose(i % 3 == 0 ? null : (ulong)(i % 7), replicas);
                replicas[choice.Index] = replicas[choice.Index] with { Load = replicas[choice.Index].Load + 1 };
                return choice;
            })];
        }
        Assert.Equal(Run(), Run());
    }

    [Fact]
    public void Without_a_key_the_lower_of_two_loads_is_chosen()
    {
        var policy = new PrefixAffinity(1);
        var replicas = Replicas(3);
        replicas[1] = replicas[1] with { Load = 5 };
        var chosen = Enumerable.Range(0, 200).Select(_ => policy.Choose(null, replicas)).ToList();
        Assert.DoesNotContain(chosen, choice => choice.Index == 1 || choice.IsFirst);
        Assert.Equal([0, 2], chosen.Select(choice => choice.Index).Distinct().Order());
    }

    [Fact]
    public void Round_robin_takes_each_in_its_place()
    {
        var policy = new RoundRobin();
        Assert.Equal([0, 1, 2, 0, 1, 2], Enumerable.Range(0, 6).Select(_ => policy.Choose(1, Replicas(3)).Index));
    }

    private static Candidate[] Replicas(int count, double load = 0) =>
        [.. Enumerable.Range(0, count).Select(i => new Candidate(RendezvousHash.OfName($"http://10.0.0.{i}:8080"), load))];
}
