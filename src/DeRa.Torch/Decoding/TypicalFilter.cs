using DeRa.Engine.Requests;
using DeRa.Torch.Native;
using static TorchSharp.torch;

namespace DeRa.Torch.Decoding;

/// <summary>
/// Locally typical sampling (Meister et al., "Locally Typical Sampling", TACL 2023): keeps the tokens whose surprise −log p is
/// nearest to the distribution's entropy, until their probability reaches typical_p.
/// </summary>
internal static class TypicalFilter
{
    /// <summary>Zeroes what is dropped, in the rows that ask for it.</summary>
    /// <param name="probabilities">float32 [rows, vocabulary], 0 where dropped already; sums may be below 1. Changed in place.</param>
    /// <param name="parameters">One a row.</param>
    public static void Apply(Tensor probabilities, SamplingParameters[] parameters)
    {
        var rows = TensorRows.Where(parameters.Length, row => parameters[row].TypicalP < 1);
        if (rows.Length == 0) return;
        var reach = TensorRows.Column(Array.ConvertAll(rows, row => (double)parameters[row].TypicalP), probabilities.device);
        TensorRows.Put(probabilities, rows, Filter(TensorRows.Take(probabilities, rows), reach));
    }

    /// <summary>In float64: which of two tokens is more typical depends on small differences in surprise.</summary>
    private static Tensor Filter(Tensor kept, Tensor reach)
    {
        var probabilities = kept.to(ScalarType.Float64);
        probabilities = probabilities.div(probabilities.sum(1, keepdim: true));
        var surprise = probabilities.log().neg_();
        var entropy = where(probabilities.gt(Arithmetic.Zero), probabilities.mul(surprise), zeros_like(surprise)).sum(1, keepdim: true);
        // Ties: lowest id first.
        var order = surprise.sub_(entropy).abs_().sort(1, descending: false, stable: true).Indices;
        var sorted = probabilities.gather(1, order);
        var keep = sorted.cumsum(1).sub_(sorted).lt(reach);
        return zeros_like(kept).scatter_(1, order, kept.gather(1, order).mul_(keep));
    }
}
