using DeRa.Lab.Reports;
using Xunit;

namespace DeRa.Lab.Tests.Reports;

public sealed class RankCorrelationTests
{
    [Fact]
    public void Any_rising_relation_is_one_and_any_falling_one_minus_one()
    {
        Assert.Equal(1, RankCorrelation.Spearman([1, 2, 3, 4], [1, 10, 11, 1000]), 12);
        Assert.Equal(-1, RankCorrelation.Spearman([1, 2, 3, 4], [.5, .1, -7, -9]), 12);
    }

    /// <summary>Without ties ρ = 1 − 6·Σd² / (n(n² − 1)); here d = −1, 1, −1, 1, 0, so ρ = 1 − 24/120.</summary>
    [Fact]
    public void Without_ties_it_is_the_textbook_formula() =>
        Assert.Equal(.8, RankCorrelation.Spearman([1, 2, 3, 4, 5], [20, 10, 40, 30, 50]), 12);

    /// <summary>Ranks 1, 2.5, 2.5, 4 and 1, 2, 3, 4: covariance 4.5, variances 4.5 and 5, so ρ = 4.5 / √22.5.</summary>
    [Fact]
    public void Equal_values_share_their_mean_rank() =>
        Assert.Equal(4.5 / Math.Sqrt(22.5), RankCorrelation.Spearman([10, 20, 20, 30], [1, 2, 3, 4]), 12);

    /// <summary>Ranks 2, 2, 2, 4.5, 4.5 and 1.5, 3.5, 5, 1.5, 3.5: covariance −2.5, variances 7.5 and 9.</summary>
    [Fact]
    public void Ties_on_both_sides() =>
        Assert.Equal(-2.5 / Math.Sqrt(67.5), RankCorrelation.Spearman([0, 0, 0, 1, 1], [1, 2, 3, 1, 2]), 12);

    [Fact]
    public void A_constant_has_no_correlation() => Assert.Equal(double.NaN, RankCorrelation.Spearman([1, 1, 1], [1, 2, 3]));

    [Fact]
    public void Lists_that_do_not_pair_are_refused()
    {
        Assert.Throws<ArgumentException>(() => RankCorrelation.Spearman([1, 2], [1, 2, 3]));
        Assert.Throws<ArgumentException>(() => RankCorrelation.Spearman([1], [1]));
    }
}
