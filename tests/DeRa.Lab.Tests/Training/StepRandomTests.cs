using DeRa.Lab.Training;
using Xunit;

namespace DeRa.Lab.Tests.Training;

public sealed class StepRandomTests
{
    [Fact]
    public void Each_seed_and_step_has_its_own_source_and_the_same_one_again()
    {
        long[] runs = [-1, 0, 1, 2, long.MaxValue];
        var seeds = runs.SelectMany(run => Enumerable.Range(0, 200).Select(step => StepRandom.Seed(run, step))).ToArray();
        Assert.Equal(1000, seeds.Distinct().Count());
        Assert.All(seeds, seed => Assert.True(seed >= 0));
        Assert.Equal(StepRandom.At(5, 6).NextInt64(), StepRandom.At(5, 6).NextInt64());
        Assert.NotEqual(StepRandom.At(5, 6).NextInt64(), StepRandom.At(5, 7).NextInt64());
    }
}
