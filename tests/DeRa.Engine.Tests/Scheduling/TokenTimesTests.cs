using DeRa.Engine.Scheduling;
using Xunit;

namespace DeRa.Engine.Tests.Scheduling;

/// <summary>The measurement that decides whether to guess, fed with times that are made up.</summary>
public sealed class TokenTimesTests
{
    [Theory]
    [InlineData(1.1, 1, true), InlineData(0.9, 1, false), InlineData(2, 1, true), InlineData(1, 1, false)]
    public void The_way_whose_tokens_take_less_is_taken(double plainSeconds, double guessSeconds, bool expected)
    {
        var times = new TokenTimes();
        for (var step = 0; step < 200; step++) Step(times, plainSeconds, guessSeconds);
        Assert.Equal(expected, times.Speculates(4, 4));
        for (var step = 0; step < 700; step++)
        {
            Assert.Equal(expected, times.Speculates(4, 4));
            Step(times, plainSeconds, guessSeconds);
        }
    }

    [Fact]
    public void A_change_of_what_passes_cost_is_noticed()
    {
        var times = new TokenTimes();
        for (var step = 0; step < 500; step++) Step(times, plain: 1.1, guess: 1);
        Assert.True(times.Speculates(4, 4));
        for (var step = 0; step < 200; step++) Step(times, plain: 1.1, guess: 2);
        Assert.False(times.Speculates(4, 4));
        for (var step = 0; step < 10_000; step++) Step(times, plain: 1.1, guess: 1);
        Assert.True(times.Speculates(4, 4));
    }

    [Fact]
    public void A_few_steps_that_are_held_up_change_nothing()
    {
        var times = new TokenTimes();
        for (var step = 0; step < 1500; step++)
            if (step % 10 == 0) Step(times, plain: 50, guess: 80);
            else Step(times, plain: 1.2, guess: 1);
        Assert.True(times.Speculates(4, 4));
    }

    [Fact]
    public void A_while_in_which_all_steps_are_held_up_is_no_reason_to_change()
    {
        var times = new TokenTimes();
        var faster = 0;
        for (var step = 0; step < 20_000; step++)
        {
            if (times.Speculates(4, 4)) faster++;
            var heldUp = step % 400 > 370 ? 1.25 : 1;
            Step(times, plain: 1.06 * heldUp, guess: heldUp);
        }
        Assert.InRange(faster, 18_000, 20_000);
    }

    [Fact]
    public void Batches_that_are_made_up_differently_are_measured_apart()
    {
        var times = new TokenTimes();
        for (var step = 0; step < 500; step++)
        {
            Step(times, plain: 2, guess: 1, branches: 1, mixed: 1);
            Step(times, plain: 1, guess: 1.5, branches: 8, mixed: 8);
            Step(times, plain: 1, guess: 1.5, branches: 1, mixed: 0);
        }
        Assert.Equal((true, false, false), (times.Speculates(1, 1), times.Speculates(8, 8), times.Speculates(1, 0)));
        Assert.False(times.Speculates(7, 7));
    }

    [Fact]
    public void Most_steps_go_the_faster_way()
    {
        var times = new TokenTimes();
        var faster = 0;
        for (var step = 0; step < 20_000; step++)
        {
            if (times.Speculates(1, 1)) faster++;
            Step(times, plain: 1.1, guess: 1, branches: 1, mixed: 1);
        }
        Assert.InRange(faster, 19_000, 20_000);
    }

    private static void Step(TokenTimes times, double plain, double guess, int branches = 4, int mixed = 4)
    {
        var speculates = times.Speculates(branches, mixed);
        times.Add(speculates, branches, mixed, tokens: branches, TimeSpan.FromMilliseconds(speculates ? guess : plain));
    }
}
