namespace DeRa.Torch.Configuration;

/// <summary>How rotary frequencies are changed for contexts longer than those trained on.</summary>
public abstract record RotaryScaling
{
    private RotaryScaling() { }

    /// <summary>Every frequency is divided by the factor (Hugging Face <c>linear</c>).</summary>
    /// <param name="Factor">At least 1.</param>
    public sealed record Linear(double Factor) : RotaryScaling;

    /// <summary>
    /// Wavelengths below <c>OriginalContextTokens / HighFrequencyFactor</c> stay, those above
    /// <c>OriginalContextTokens / LowFrequencyFactor</c> are stretched by the factor, those between are interpolated
    /// (Hugging Face <c>llama3</c>).
    /// </summary>
    /// <param name="Factor">At least 1.</param>
    /// <param name="LowFrequencyFactor">Greater than 0.</param>
    /// <param name="HighFrequencyFactor">Greater than <paramref name="LowFrequencyFactor"/>.</param>
    /// <param name="OriginalContextTokens">The context trained on.</param>
    public sealed record Llama3(double Factor, double LowFrequencyFactor, double HighFrequencyFactor, int OriginalContextTokens)
        : RotaryScaling;

    /// <summary>
    /// YaRN (arXiv 2309.00071, with Hugging Face's details): pairs that rotate more than <c>FastRotations</c> times within the
    /// original context stay, those that rotate less than <c>SlowRotations</c> times are stretched by the factor, those between
    /// are interpolated by their index.
    /// </summary>
    /// <param name="Factor">At least 1.</param>
    /// <param name="OriginalContextTokens">The context trained on.</param>
    /// <param name="AttentionFactor">What queries and keys are multiplied by, each; greater than 0.</param>
    /// <param name="FastRotations">Greater than <paramref name="SlowRotations"/> (<c>beta_fast</c>).</param>
    /// <param name="SlowRotations">Greater than 0 (<c>beta_slow</c>).</param>
    /// <param name="Truncates">Whether the two indices of the ramp are rounded, down and up.</param>
    public sealed record Yarn(
        double Factor, int OriginalContextTokens, double AttentionFactor, double FastRotations, double SlowRotations, bool Truncates)
        : RotaryScaling;
}
