using DeRa.Torch.Native;
using static TorchSharp.torch;

namespace DeRa.Lab.Objectives;

/// <summary>
/// KL-regularised policy gradient, the setting of DeRa: REINFORCE on r − β·log(π_θ/π_ref) of the whole completion, less the
/// mean of that over the prompt's other completions (leave-one-out, Kool et al. 2019). With completions drawn from π_θ itself
/// its gradient is an unbiased one of −(E[r] − β·KL(π_θ‖π_ref)), so its optimum is π* ∝ π_ref·exp(r/β). Only the gradient
/// of the loss has a meaning; one batch serves one update.
/// </summary>
/// <exception cref="ArgumentOutOfRangeException">β is not a finite number above 0.</exception>
internal sealed class PolicyGradientObjective(double beta) : IObjective
{
    public string Name => "policy-gradient";

    public double Beta { get; } = ObjectiveRange.Beta(beta);

    public Tensor Loss(SampleBatch batch)
    {
        using var scope = NewDisposeScope();
        var policy = batch.PolicyTokens().sum(1);
        // No gradient through the log-ratio: E[∇ log π_θ] = 0, so it would add noise and nothing else.
        var logRatio = KlEstimator.K1(policy.detach(), batch.ReferenceTokens().sum(1));
        var regularised = batch.RewardsByPrompt() - batch.ByPrompt(logRatio).Times(Beta);
        return (LessTheOthersMean(regularised) * batch.ByPrompt(policy)).mean().neg().MoveToOuterDisposeScope();
    }

    // r_i − (Σ − r_i)/(G − 1) = (r_i − Σ/G)·G/(G − 1).
    private static Tensor LessTheOthersMean(Tensor rewards)
    {
        var completions = (double)rewards.shape[1];
        return (rewards - rewards.mean([1], keepdim: true)).Times(completions / (completions - 1));
    }
}
