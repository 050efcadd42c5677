using DeRa.Torch.Native;
using static TorchSharp.torch;
using static TorchSharp.torch.nn.functional;

namespace DeRa.Lab.Objectives;

/// <summary>
/// BRAIn (arXiv 2402.02479): cross entropy from the posterior given a good outcome, π_ref·exp(r/β), to π_θ, both as
/// self-normalised importance weights over the prompt's completions; the gradient is −Σ (a_i − b_i)·∇ log π_θ(y_i), b the
/// baseline. Completions may come from any proposal with full support. At π* ∝ π_ref·exp(r/β) a = b on every draw, so π* is
/// the optimum at any number of completions and the gradient's noise vanishes there.
/// </summary>
/// <exception cref="ArgumentOutOfRangeException">β is not a finite number above 0.</exception>
internal sealed class BrainObjective(double beta) : IObjective
{
    public string Name => "brain";

    public double Beta { get; } = ObjectiveRange.Beta(beta);

    public Tensor Loss(SampleBatch batch)
    {
        using var scope = NewDisposeScope();
        var proposal = batch.ProposalTokens().sum(1);
        var reference = batch.ByPrompt(batch.ReferenceTokens().sum(1) - proposal);
        var posterior = softmax(reference.Plus(batch.RewardsByPrompt().Times(1 / Beta)), 1);
        var policy = log_softmax(batch.ByPrompt(batch.PolicyTokens().sum(1) - proposal), 1);
        return (posterior * policy).sum(1).mean().neg().MoveToOuterDisposeScope();
    }
}
