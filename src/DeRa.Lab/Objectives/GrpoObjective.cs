using DeRa.Torch.Native;
using TorchSharp;
using static TorchSharp.torch;

namespace DeRa.Lab.Objectives;

/// <summary>
/// Group-relative policy optimisation (DeepSeekMath, arXiv 2402.03300, eq. 3): the reward less its prompt's mean, over its
/// prompt's standard deviation (of the G completions as a population), is the advantage of each token; clipped ratio to the
/// proposal; per-token <see cref="KlEstimator.K3"/> in the loss; mean over tokens, then over completions.
/// </summary>
/// <remarks>
/// Its optimum is not π* ∝ π_ref·exp(r/β): the gradient of that penalty is KL(π_ref‖π_θ)'s. For one token it ends at
/// π = β·s·π_ref/(c − r), s the standard deviation of r under π itself and c the normaliser.
/// </remarks>
/// <param name="beta">KL strength; the paper's is 0.04.</param>
/// <param name="clip">ε: where the ratio leaves [1 − ε, 1 + ε] to gain more, its gradient stops; the paper's is 0.2.</param>
/// <exception cref="ArgumentOutOfRangeException">β is not a finite number above 0, or ε is not between 0 and 1.</exception>
internal sealed class GrpoObjective(double beta, double clip = 0.2) : IObjective
{
    public string Name => "grpo";

    public double Beta { get; } = ObjectiveRange.Beta(beta);

    /// <summary>ε.</summary>
    public double Clip { get; } = ObjectiveRange.Clip(clip);

    public Tensor Loss(SampleBatch batch)
    {
        using var scope = NewDisposeScope();
        var policy = batch.PolicyTokens();
        var gain = ClippedGain((policy - batch.ProposalTokens()).exp(), Advantages(batch));
        var penalty = KlEstimator.K3(policy, batch.ReferenceTokens());
        return batch.MeanOverTokens(gain - penalty.Times(Beta)).mean().neg().MoveToOuterDisposeScope();
    }

    private Tensor ClippedGain(Tensor ratio, Tensor advantages)
    {
        using var least = (1 - Clip).ToScalar();
        using var most = (1 + Clip).ToScalar();
        return minimum(ratio * advantages, ratio.clamp(least, most) * advantages);
    }

    // Whether a prompt's rewards differ at all is asked of them: the rounding of their mean can give equal ones a deviation.
    private static Tensor Advantages(SampleBatch batch)
    {
        var rewards = batch.RewardsByPrompt();
        var deviations = rewards - rewards.mean([1], keepdim: true);
        var standard = (deviations * deviations).mean([1], keepdim: true).sqrt();
        var differ = rewards.amax([1], keepdim: true) > rewards.amin([1], keepdim: true);
        return where(differ, deviations / standard, zeros_like(deviations)).reshape(-1, 1);
    }
}
