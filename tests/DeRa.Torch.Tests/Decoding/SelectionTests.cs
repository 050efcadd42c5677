using DeRa.Torch.Decoding;
using TorchSharp;
using Xunit;

namespace DeRa.Torch.Tests.Decoding;

/// <summary>Selection without sorting against sorting.</summary>
public sealed class SelectionTests
{
    [Fact]
    public void Candidates_before_a_sum_is_reached_are_those_that_sorting_gives()
    {
        var random = new Random(1);
        for (var round = 0; round < 300; round++)
        {
            // Few different orders tie; weights that are whole numbers add up exactly in any order.
            var (count, orders) = (random.Next(1, 400), random.Next(1, 100));
            var candidates = Enumerable.Range(0, count)
                .Select(token => new Candidate { Token = token, Order = random.Next(orders), Weight = random.Next(3) }).ToArray();
            if (round % 3 == 0) candidates = [.. candidates.OrderBy(candidate => candidate.Order)];
            else random.Shuffle(candidates);
            var limit = random.Next(1, count + 20);
            var expected = Prefix(candidates.OrderBy(candidate => candidate.Order).ThenBy(candidate => candidate.Token), limit);
            var kept = candidates[..CandidateSelection.MoveFirst(candidates, limit)];
            Assert.Equal(expected.Order(), kept.Select(candidate => candidate.Token).Order());
        }
    }

    [Theory]
    [InlineData(10)]
    [InlineData(31)]
    [InlineData(63)]
    public void Keys_before_a_sum_is_reached_are_those_that_sorting_gives(int keyBits)
    {
        var random = new Random(keyBits);
        for (var round = 0; round < 40; round++)
        {
            var (rows, columns) = (random.Next(1, 5), random.Next(1, 300));
            var most = round % 2 == 0 ? (1L << (keyBits - 1)) - 1 + (1L << (keyBits - 1)) : 3; // 2^keyBits − 1 without overflow
            long[] keys = Values(rows * columns, _ => random.NextInt64(most) + random.Next(2)),
                weights = Values(rows * columns, _ => random.NextInt64(4)), limits = Values(rows, _ => random.NextInt64(2 * columns));
            using var scope = torch.NewDisposeScope();
            var kept = OrderedPrefix.Of(torch.tensor(keys, [rows, columns]), keyBits, torch.tensor(weights, [rows, columns]),
                torch.tensor(limits, [rows, 1])).data<bool>().ToArray();
            for (var row = 0; row < rows; row++)
                Assert.Equal(
                    Sorted(keys, weights, row * columns, columns, limits[row]).Order(),
                    Enumerable.Range(0, columns).Where(column => kept[row * columns + column]));
        }
    }

    [Fact]
    public void Keys_order_as_the_numbers_do()
    {
        float[] numbers =
        [
            0, float.Epsilon, 3 * float.Epsilon, 1e-38f, 1.17549435e-38f, .25f, .49999997f, .5f, .50000006f, 1, 3, 16777216, 1e20f,
            float.PositiveInfinity,
        ];
        using var scope = torch.NewDisposeScope();
        AssertAscend(OrderKeys.OfFloat32(torch.tensor(numbers)), 1L << OrderKeys.Float32Bits);
        double[] more = [.. numbers.Select(number => (double)number).Append(double.Epsilon).Append(Math.BitIncrement(.25)).Order()];
        AssertAscend(OrderKeys.OfFloat64(torch.tensor(more)), long.MaxValue);
        Assert.Equal(
            OrderKeys.OfFloat32(torch.tensor(new[] { 0f })).data<long>().ToArray(),
            OrderKeys.OfFloat32(torch.tensor(new[] { -0f })).data<long>().ToArray());
    }

    private static void AssertAscend(torch.Tensor keys, long limit)
    {
        var values = keys.data<long>().ToArray();
        Assert.Equal(0, values[0]);
        for (var i = 1; i < values.Length; i++) Assert.InRange(values[i], values[i - 1] + 1, limit - 1);
    }

    private static long[] Values(int count, Func<int, long> value) => [.. Enumerable.Range(0, count).Select(value)];

    private static List<int> Sorted(long[] keys, long[] weights, int first, int columns, long limit)
    {
        var (before, kept) = (0L, new List<int>());
        foreach (var column in Enumerable.Range(0, columns).OrderBy(column => keys[first + column]))
        {
            if (before >= limit) break;
            kept.Add(column);
            before += weights[first + column];
        }
        return kept;
    }

    private static List<int> Prefix(IEnumerable<Candidate> sorted, double limit)
    {
        var (before, kept) = (0.0, new List<int>());
        foreach (var candidate in sorted)
        {
            if (before >= limit) break;
            kept.Add(candidate.Token);
            before += candidate.Weight;
        }
        return kept;
    }
}
