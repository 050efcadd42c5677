using DeRa.Torch.Native;
using static TorchSharp.torch;

namespace DeRa.Lab.Objectives;

/// <summary>
/// Completions with their log-probabilities and rewards, prompt-major: rows p·G to p·G + G − 1 complete prompt p; S rows in all, T
/// positions.
/// The tensors stay the caller's. Sequence sums are float64: over hundreds of tokens float32 loses what the difference of two
/// nearly equal models is made of.
/// </summary>
internal sealed class SampleBatch
{
    private readonly Tensor _padding;

    /// <summary>Checks that the parts fit together.</summary>
    /// <param name="policyLogProbs">log π_θ(y_t | x, y_&lt;t), float32 or float64 [S, T]; carries the gradient.</param>
    /// <param name="referenceLogProbs">log π_ref(y_t | x, y_&lt;t), [S, T]; its gradient is never used.</param>
    /// <param name="proposalLogProbs">The same of the policy that drew the completions, [S, T]; its gradient is never used, so
    /// that the policy's own tensor may be given where it drew them itself.</param>
    /// <param name="mask">bool [S, T]: true at a completion's tokens, its end token included; false at prompt and padding,
    /// whose log-probabilities may be anything.</param>
    /// <param name="rewards">[S], finite.</param>
    /// <param name="completionsPerPrompt">G, at least 2.</param>
    /// <param name="step">The number of this batch in its training, at least 0: random choices of an objective are a function
    /// of it, so that a resumed training repeats them.</param>
    /// <exception cref="ArgumentException">A part has another shape or type, or values out of range.</exception>
    public SampleBatch(Tensor policyLogProbs, Tensor referenceLogProbs, Tensor proposalLogProbs, Tensor mask, Tensor rewards,
        int completionsPerPrompt, int step)
    {
        if (completionsPerPrompt < 2)
            throw Bad(nameof(completionsPerPrompt), $"is {completionsPerPrompt}; it must be at least 2.");
        if (step < 0) throw Bad(nameof(step), $"is {step}; it must be at least 0.");
        CheckPolicy(policyLogProbs, completionsPerPrompt);
        CheckShape(nameof(referenceLogProbs), referenceLogProbs, policyLogProbs.shape);
        CheckShape(nameof(proposalLogProbs), proposalLogProbs, policyLogProbs.shape);
        CheckMask(mask, policyLogProbs.shape);
        CheckRewards(rewards, policyLogProbs.shape[0]);

        PolicyLogProbs = policyLogProbs;
        ReferenceLogProbs = referenceLogProbs;
        ProposalLogProbs = proposalLogProbs;
        Mask = mask;
        Rewards = rewards;
        CompletionsPerPrompt = completionsPerPrompt;
        Step = step;
        _padding = mask.logical_not();
    }

    public Tensor PolicyLogProbs { get; }

    public Tensor ReferenceLogProbs { get; }

    public Tensor ProposalLogProbs { get; }

    public Tensor Mask { get; }

    public Tensor Rewards { get; }

    public int CompletionsPerPrompt { get; }

    public int Step { get; }

    /// <summary>S.</summary>
    public int Completions => (int)PolicyLogProbs.shape[0];

    /// <summary>log π_θ of each token, float64 [S, T], 0 outside of the mask.</summary>
    public Tensor PolicyTokens() => Tokens(PolicyLogProbs);

    /// <summary>log π_ref of each token without gradient, float64 [S, T], 0 outside of the mask.</summary>
    public Tensor ReferenceTokens() => Tokens(ReferenceLogProbs.detach());

    /// <summary>The proposal's log-probability of each token without gradient, float64 [S, T], 0 outside of the mask.</summary>
    public Tensor ProposalTokens() => Tokens(ProposalLogProbs.detach());

    /// <summary>The rewards by prompt, float64 [P, G].</summary>
    public Tensor RewardsByPrompt() => ByPrompt(Rewards.detach().to(ScalarType.Float64));

    /// <summary>[S] as [P, G].</summary>
    public Tensor ByPrompt(Tensor perCompletion) => perCompletion.reshape(-1, CompletionsPerPrompt);

    /// <summary>The mean of [S, T] over each completion's own tokens, [S].</summary>
    public Tensor MeanOverTokens(Tensor perToken) => perToken.masked_fill(_padding, Arithmetic.Zero).sum(1) / Mask.sum(1);

    // Filled, not multiplied by the mask: padding may hold −∞ or NaN.
    private Tensor Tokens(Tensor logProbs) => logProbs.to(ScalarType.Float64).masked_fill(_padding, Arithmetic.Zero);

    private static void CheckPolicy(Tensor policyLogProbs, int completionsPerPrompt)
    {
        var shape = policyLogProbs.shape;
        var fits = shape.Length == 2 && shape[1] > 0 && shape[0] > 0 && shape[0] % completionsPerPrompt == 0;
        if (!fits)
            throw Bad(nameof(policyLogProbs), $"has shape {Text(shape)}; it must be [S, T] with S a multiple of the "
                + $"{completionsPerPrompt} completions per prompt and T at least 1.");
        if (policyLogProbs.dtype is not (ScalarType.Float32 or ScalarType.Float64))
            throw Bad(nameof(policyLogProbs), $"has type {policyLogProbs.dtype}; it must be Float32 or Float64.");
    }

    private static void CheckMask(Tensor mask, long[] shape)
    {
        CheckShape(nameof(mask), mask, shape);
        if (mask.dtype != ScalarType.Bool) throw Bad(nameof(mask), $"has type {mask.dtype}; it must be Bool.");
        using var scope = NewDisposeScope();
        if (!mask.any(1).all().item<bool>())
            throw Bad(nameof(mask), "has a row without a token; each completion must have at least 1 (its end token counts).");
    }

    private static void CheckRewards(Tensor rewards, long completions)
    {
        CheckShape(nameof(rewards), rewards, [completions]);
        using var scope = NewDisposeScope();
        if (!rewards.isfinite().all().item<bool>()) throw Bad(nameof(rewards), "has NaN or an infinity; each must be finite.");
    }

    private static void CheckShape(string field, Tensor tensor, long[] shape)
    {
        if (!tensor.shape.SequenceEqual(shape))
            throw Bad(field, $"has shape {Text(tensor.shape)}; it must be {Text(shape)}.");
    }

    private static ArgumentException Bad(string field, string problem) => new($"'{field}' {problem}", field);

    private static string Text(long[] shape) => $"[{string.Join(", ", shape)}]";
}
