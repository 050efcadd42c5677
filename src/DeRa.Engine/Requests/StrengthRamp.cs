namespace DeRa.Engine.Requests;

/// <summary>
/// A strength of the first aligned model that goes from one value to another: output token 0 has <see cref="Start"/>, the token
/// <see cref="Tokens"/> and all after it have <see cref="End"/>, exactly.
/// </summary>
public sealed record StrengthRamp : StrengthSchedule
{
    /// <summary>What a strength is rounded to, so that decimals stay decimals, and 0 and 1 on the way are met.</summary>
    private const int Decimals = 12;

    private readonly AlignmentStrengths _start, _end;

    /// <summary>Makes a schedule.</summary>
    /// <param name="start">λ of the first token; finite.</param>
    /// <param name="end">λ from the token <paramref name="rampTokens"/> on; finite.</param>
    /// <param name="rampTokens">After how many tokens the end is reached, at least 0; at 0 there are no tokens before it.</param>
    /// <param name="shape">How λ goes from one to the other.</param>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="rampTokens"/> is negative.</exception>
    public StrengthRamp(double start, double end, int rampTokens, RampShape shape)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(rampTokens);
        (Start, End, Tokens, Shape, _start, _end) = (start, end, rampTokens, shape, start, end);
    }

    /// <summary>λ of the first token.</summary>
    public double Start { get; }

    /// <summary>λ from the token <see cref="Tokens"/> on.</summary>
    public double End { get; }

    /// <summary>After how many tokens the end is reached.</summary>
    public int Tokens { get; }

    /// <summary>How λ goes from one to the other.</summary>
    public RampShape Shape { get; }

    /// <inheritdoc/>
    public override AlignmentStrengths At(int index)
    {
        if (index >= Tokens) return _end;
        if (index == 0 || Shape == RampShape.Step) return _start;
        var way = Shape == RampShape.Linear ? (double)index / Tokens : (1 - Math.Cos(Math.PI * index / Tokens)) / 2;
        return Math.Round(Start + (End - Start) * way, Decimals);
    }

    /// <inheritdoc/>
    internal override void CheckFor(int modelCount)
    {
        _start.CheckFor(modelCount);
        _end.CheckFor(modelCount);
    }
}

/// <summary>How a strength goes from one value to another.</summary>
public enum RampShape
{
    /// <summary>By the same amount at each token.</summary>
    Linear,

    /// <summary>Slowly at both ends, fast in the middle: half a wave of a cosine.</summary>
    Cosine,

    /// <summary>All at once, at the last token.</summary>
    Step,
}
