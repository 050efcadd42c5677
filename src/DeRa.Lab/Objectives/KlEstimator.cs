using static TorchSharp.torch;

namespace DeRa.Lab.Objectives;

/// <summary>Estimates of KL(π_θ‖π_ref) from π_θ's own samples (Schulman, "Approximating KL divergence", 2020).</summary>
internal static class KlEstimator
{
    /// <summary>log π_θ − log π_ref: unbiased, of either sign.</summary>
    public static Tensor K1(Tensor policy, Tensor reference) => policy - reference;

    /// <summary>
    /// π_ref/π_θ − log(π_ref/π_θ) − 1: unbiased and never negative. Its gradient is another matter: on the policy's own
    /// samples its expectation is the gradient of KL(π_ref‖π_θ).
    /// </summary>
    public static Tensor K3(Tensor policy, Tensor reference)
    {
        var logRatio = reference - policy;
        return logRatio.expm1() - logRatio;
    }
}
