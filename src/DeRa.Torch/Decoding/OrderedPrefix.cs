using DeRa.Torch.Native;
using TorchSharp;
using static TorchSharp.torch;

namespace DeRa.Torch.Decoding;

/// <summary>
/// What comes first in an order until a sum of weights is reached, without sorting: the key at which it is reached is found digit by
/// digit from histograms of the weights. Whole numbers throughout, so that the result is exact in any order of additions.
/// </summary>
internal static class OrderedPrefix
{
    private const int DigitBits = 11;

    /// <summary>
    /// The elements before which the sum of weights, taken by ascending key and of equal keys by ascending column, is below a limit.
    /// </summary>
    /// <param name="keys">int64 [rows, columns], each in [0, 2^<paramref name="keyBits"/>).</param>
    /// <param name="keyBits">At most 63.</param>
    /// <param name="weights">int64 [rows, columns], not negative.</param>
    /// <param name="limits">int64 [rows, 1].</param>
    /// <returns>bool [rows, columns].</returns>
    public static Tensor Of(Tensor keys, int keyBits, Tensor weights, Tensor limits)
    {
        var last = zeros_like(limits); // the leading digits of the key at which the limit is reached
        var before = zeros_like(limits); // the sum of weights of smaller keys
        for (var shift = (keyBits - 1) / DigitBits * DigitBits; shift >= 0; shift -= DigitBits)
        {
            var leading = ShiftRight(keys, shift);
            var digitBits = Math.Min(DigitBits, keyBits - shift);
            var (digits, inRange) = (And(leading, (1L << digitBits) - 1), ShiftRight(leading, digitBits).eq(last));
            var histogram = zeros([keys.shape[0], 1L << digitBits], ScalarType.Int64, keys.device)
                .scatter_add_(1, digits, weights.mul(inRange));
            var sums = histogram.cumsum(1).PlusInPlace(before); // up to and including each digit
            using var most = ((1L << digitBits) - 1).ToScalar();
            var digit = sums.lt(limits).sum(1, keepdim: true).clamp_max_(most);
            before = sums.sub_(histogram).gather(1, digit);
            using var radix = (1L << digitBits).ToScalar();
            last = last.mul(radix).PlusInPlace(digit);
        }
        var ties = weights.mul(keys.eq(last));
        return keys.lt(last).logical_or_(keys.eq(last).logical_and_(ties.cumsum(1).sub_(ties).PlusInPlace(before).lt(limits)));
    }

    private static Tensor ShiftRight(Tensor values, int count)
    {
        using var bits = tensor((long)count);
        return values.bitwise_right_shift(bits);
    }

    private static Tensor And(Tensor values, long mask)
    {
        using var bits = tensor(mask);
        return values.bitwise_and(bits);
    }
}
