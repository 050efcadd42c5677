using DeRa.Engine.Requests;
using DeRa.Torch.Native;
using static TorchSharp.torch;

namespace DeRa.Torch.Decoding;

/// <summary>Which tokens top-k, top-p, min-p and typical_p keep, in this order, of equally likely ones those of the lowest ids.</summary>
internal static class TokenFilter
{
    /// <summary>
    /// Weights are added up as whole multiples of 2⁻⁴²: exact in any order, and of 2¹⁹ tokens twice the sum fits into 63 bits.
    /// </summary>
    private const double Unit = 1L << 42;

    /// <summary>More than a sum can reach, as a fraction of the sum: keeps all.</summary>
    private const double All = 2;

    /// <summary>Whether a row's parameters can drop any token of the vocabulary.</summary>
    public static bool Filters(SamplingParameters parameters, long vocabularySize) =>
        HasTopK(parameters, vocabularySize) || parameters.TopP < 1 || parameters.MinP > 0 || parameters.TypicalP < 1;

    /// <summary>Whether top-k can drop any token of the vocabulary.</summary>
    public static bool HasTopK(SamplingParameters parameters, long vocabularySize) =>
        parameters.TopK > 0 && parameters.TopK < vocabularySize;

    /// <summary>The tokens to sample from.</summary>
    /// <param name="scaled">float32 [rows, vocabulary]: logits after temperature, at most 0, and 0 somewhere in each row.</param>
    /// <param name="parameters">One a row.</param>
    /// <returns>bool [rows, vocabulary]; null where every row keeps all.</returns>
    public static Tensor? Kept(Tensor scaled, SamplingParameters[] parameters)
    {
        var vocabularySize = scaled.shape[1];
        var rows = TensorRows.Where(parameters.Length, row => Filters(parameters[row], vocabularySize));
        if (rows.Length == 0) return null;
        var kept = Filter(TensorRows.Take(scaled, rows), Array.ConvertAll(rows, row => parameters[row]));
        if (rows.Length == parameters.Length) return kept;
        var all = ones([parameters.Length, vocabularySize], ScalarType.Bool, scaled.device);
        TensorRows.Put(all, rows, kept);
        return all;
    }

    private static Tensor Filter(Tensor scaled, SamplingParameters[] parameters)
    {
        var kept = ones(scaled.shape, ScalarType.Bool, scaled.device);
        var order = OrderKeys.OfFloat32(scaled.neg());
        if (Array.Exists(parameters, row => HasTopK(row, scaled.shape[1])))
            kept.logical_and_(OrderedPrefix.Of(order, OrderKeys.Float32Bits, ones_like(order), TopKLimits(parameters, scaled)));
        if (Array.TrueForAll(parameters, row => row.TopP == 1 && row.MinP == 0 && row.TypicalP == 1)) return kept;
        var weights = scaled.exp();
        if (Array.Exists(parameters, row => row.TopP < 1))
        {
            var units = Units(weights, kept);
            var limits = Limits(units, Array.ConvertAll(parameters, row => row.TopP < 1 ? row.TopP : All));
            kept.logical_and_(OrderedPrefix.Of(order, OrderKeys.Float32Bits, units, limits));
        }
        if (Array.Exists(parameters, row => row.MinP > 0))
            kept.logical_and_(weights.ge(TensorRows.Column(Array.ConvertAll(parameters, row => row.MinP), scaled.device)));
        if (Array.Exists(parameters, row => row.TypicalP < 1)) kept.logical_and_(Typical(scaled, Units(weights, kept), parameters));
        return kept;
    }

    /// <summary>
    /// Locally typical sampling (Meister et al., "Locally Typical Sampling", TACL 2023) keeps the tokens whose surprise −log p is
    /// nearest to the distribution's entropy, until their probability reaches typical_p. The surprise log Σ w − s of a token lies as far
    /// from the expected surprise as its scaled logit s from the expected one, Σ p s. In float64: which of two tokens is more typical
    /// depends on small differences.
    /// </summary>
    private static Tensor Typical(Tensor scaled, Tensor units, SamplingParameters[] parameters)
    {
        var values = scaled.to(ScalarType.Float64);
        var sums = where(units.gt(Arithmetic.Zero), values.mul(units), zeros_like(values)).sum(1, keepdim: true);
        var order = OrderKeys.OfFloat64(values.sub_(sums.div_(units.sum(1, keepdim: true))).abs_());
        return OrderedPrefix.Of(
            order, OrderKeys.Float64Bits, units, Limits(units, Array.ConvertAll(parameters, row => row.TypicalP < 1 ? row.TypicalP : All)));
    }

    /// <summary>int64 [rows, vocabulary]: weights in units; 0 where dropped.</summary>
    private static Tensor Units(Tensor weights, Tensor kept) =>
        weights.to(ScalarType.Float64).TimesInPlace(Unit).mul_(kept).round_().to(ScalarType.Int64);

    /// <summary>int64 [rows, 1]: the least whole number that is not below a fraction of each row's sum.</summary>
    private static Tensor Limits(Tensor units, double[] fractions) =>
        units.sum(1, keepdim: true).to(ScalarType.Float64).mul_(TensorRows.Column(fractions, units.device)).ceil_().to(ScalarType.Int64);

    private static Tensor TopKLimits(SamplingParameters[] parameters, Tensor scaled) =>
        TensorRows.Column(
            Array.ConvertAll(parameters, row => HasTopK(row, scaled.shape[1]) ? row.TopK : scaled.shape[1]), scaled.device);
}
