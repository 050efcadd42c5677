using DeRa.Gateway.Balancing;
using Xunit;

namespace DeRa.Gateway.Tests.Balancing;

public class RendezvousHashTests
{
    private const int Keys = 20_000;

    [Fact]
    public void Each_replica_is_first_for_its_part_of_the_keys()
    {
        var firsts = Firsts(Replicas(10));
        foreach (var count in firsts.CountBy(first => first).Select(own => own.Value))
            // Six standard deviations of a binomial count.
            Assert.InRange(count, Keys / 10 - 6 * Math.Sqrt(Keys * .09), Keys / 10 + 6 * Math.Sqrt(Keys * .09));
    }

    [Fact]
    public void A_replica_that_goes_moves_its_own_keys_only()
    {
        var (ten, nine) = (Replicas(10), Replicas(9));
        foreach (var (before, after) in Firsts(ten).Zip(Firsts(nine)))
            if (before != ten[9].Id) Assert.Equal(before, after);
    }

    [Fact]
    public void A_replica_that_comes_takes_its_part_of_the_keys_and_nothing_else_moves()
    {
        var eleven = Replicas(11);
        var moved = Firsts(Replicas(10)).Zip(Firsts(eleven)).Where(pair => pair.First != pair.Second).ToList();
        Assert.All(moved, pair => Assert.Equal(eleven[10].Id, pair.Second));
        Assert.InRange(moved.Count / (double)Keys, 1 / 11.0 - .015, 1 / 11.0 + .015);
    }

    [Fact]
    public void The_order_is_by_score_and_has_each_replica_once()
    {
        var replicas = Replicas(7);
        Span<int> order = stackalloc int[7], three = stackalloc int[3];
        for (var key = 0UL; key < 200; key++)
        {
            Assert.Equal(7, RendezvousHash.Order(key, replicas, order));
            var scores = order.ToArray().Select(index => RendezvousHash.Score(key, replicas[index].Id)).ToList();
            Assert.Equal(scores.OrderDescending(), scores);
            Assert.Equal(7, order.ToArray().Distinct().Count());
            Assert.Equal(3, RendezvousHash.Order(key, replicas, three));
            Assert.Equal(order[..3].ToArray(), three.ToArray());
        }
    }

    [Fact]
    public void Ids_are_the_same_in_every_process() => Assert.Equal(0x41FFD647C2D03DCCUL, RendezvousHash.OfName("http://10.0.0.1:8080"));

    private static Candidate[] Replicas(int count) =>
        [.. Enumerable.Range(0, count).Select(i => new Candidate(RendezvousHash.OfName($"http://10.0.0.{i}:8080"), 0))];

    private static List<ulong> Firsts(Candidate[] replicas) => [.. Enumerable.Range(0, Keys).Select(key =>
    {
        Span<int> first = stackalloc int[1];
        RendezvousHash.Order((ulong)key * 0x9E3779B97F4A7C15, replicas, first);
        return replicas[first[0]].Id;
    })];
}
