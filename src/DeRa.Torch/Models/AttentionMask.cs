using DeRa.Torch.Native;
using static TorchSharp.torch;

namespace DeRa.Torch.Models;

/// <summary>Masks of attention: causal, within a window.</summary>
internal static class AttentionMask
{
    /// <summary>0 where a query sees a key, else −∞: it sees its own position and those before it, as many as the window holds.</summary>
    /// <param name="keys">[rows, 1, 1, context], int64: positions of the keys.</param>
    /// <param name="queries">[rows, 1, tokens, 1], int64: positions of the queries.</param>
    /// <param name="window">The current token and those before it; at least 1.</param>
    /// <param name="type">Element type of the result.</param>
    /// <returns>[rows, 1, tokens, context].</returns>
    public static Tensor Build(Tensor keys, Tensor queries, int window, ScalarType type)
    {
        var lastUnseen = queries.Plus(Arithmetic.Range(-window, 1 - window, ScalarType.Int64, keys.device));
        var isHidden = keys.gt(queries).logical_or_(keys.le(lastUnseen));
        return zeros(isHidden.shape, dtype: type, device: keys.device).masked_fill_(isHidden, Arithmetic.NegativeInfinity);
    }
}
