using System.Runtime.Intrinsics;
using DeRa.Torch.Operators;
using Xunit;

namespace DeRa.Torch.Tests.Operators;

/// <summary>The normal distribution's tail in float32 against series and continued fraction in float64.</summary>
public sealed class NormalTailTests
{
    /// <summary>Values of tables, which hold the reference itself to account.</summary>
    [Theory]
    [InlineData(0, 0.5), InlineData(0.1, 0.460172162722971), InlineData(1, 0.158655253931457), InlineData(2, 0.0227501319481792)]
    [InlineData(3, 0.00134989803163009), InlineData(4, 3.16712418331199e-5), InlineData(5, 2.86651571879194e-7)]
    [InlineData(10, 7.61985302416053e-24)]
    public void The_reference_equals_tables(double t, double expected) => Assert.Equal(1, Exact(t) / expected, 1e-12);

    /// <summary>Every 64th number of each power of two.</summary>
    [Theory]
    [InlineData(1e-9f, 4, 4), InlineData(4, 13, 8)]
    public void Tails_are_right_to_a_few_units_in_the_last_place(float first, float last, double mostUnits)
    {
        var (worst, at) = (0.0, 0f);
        for (var bits = BitConverter.SingleToInt32Bits(first); bits <= BitConverter.SingleToInt32Bits(last); bits += 64)
        {
            var t = BitConverter.Int32BitsToSingle(bits);
            var exact = Exact(t);
            var units = Math.Abs(Tail(t) - exact) / (MathF.BitIncrement((float)exact) - (float)exact);
            if (!(units <= worst)) (worst, at) = (units, t);
        }
        Assert.True(worst <= mostUnits, $"{worst} units at {at:R}");
    }

    [Fact]
    public void The_end_is_0_and_NaN_stays()
    {
        for (var t = 13.3f; t <= NormalTail.End; t += 0.01f) Assert.Equal(0, Tail(t));
        Assert.True(float.IsNaN(Tail(float.NaN)));
        Assert.Equal(0.5f, Tail(0));
    }

    private static float Tail(float t) => NormalTail.Of(Vector256.Create(t))[3];

    /// <summary>1 − Φ(t): up to 3 by the series of Φ, from there on by Laplace's continued fraction.</summary>
    internal static double Exact(double t)
    {
        var density = Math.Exp(-t * t / 2) / Math.Sqrt(2 * Math.PI);
        if (t >= 3)
        {
            var fraction = t;
            for (var n = 200; n > 0; n--) fraction = t + n / fraction;
            return density / fraction;
        }
        var (sum, term) = (t, t);
        for (var n = 1; term > 1e-18 * sum; n++) sum += term *= t * t / (2 * n + 1);
        return 0.5 - density * sum;
    }
}
