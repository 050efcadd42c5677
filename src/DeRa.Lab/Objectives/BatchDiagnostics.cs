using static TorchSharp.torch;
using static TorchSharp.torch.nn.functional;

namespace DeRa.Lab.Objectives;

/// <summary>Diagnostics of a batch for progress lines.</summary>
/// <param name="MeanReward">Of the completions as they were drawn.</param>
/// <param name="KlK1">KL(π_θ‖π_ref) a completion, in nats, by <see cref="KlEstimator.K1"/>.</param>
/// <param name="KlK3">
/// The same by <see cref="KlEstimator.K3"/> a token, summed over the completion: by the chain rule as unbiased as on the whole
/// completion, whose exp(−log-ratio) a few samples cannot average.
/// </param>
internal readonly record struct BatchDiagnostics(double MeanReward, double KlK1, double KlK3)
{
    /// <summary>
    /// Completions of another policy than π_θ are weighted by their self-normalised importance π_θ/proposal, without which
    /// the reference's completions would show −KL(π_ref‖π_θ); on π_θ's own completions the weights are equal.
    /// </summary>
    public static BatchDiagnostics Of(SampleBatch batch)
    {
        using var noGradient = no_grad();
        using var scope = NewDisposeScope();
        var policy = batch.PolicyTokens();
        var reference = batch.ReferenceTokens();
        var weights = softmax((policy - batch.ProposalTokens()).sum(1), 0);
        // Padding is 0 in both, and so is either estimate there.
        return new(
            batch.RewardsByPrompt().mean().item<double>(),
            (weights * KlEstimator.K1(policy, reference).sum(1)).sum().item<double>(),
            (weights * KlEstimator.K3(policy, reference).sum(1)).sum().item<double>());
    }
}
