namespace DeRa.Torch.Models;

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
}
