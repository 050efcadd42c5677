namespace DeRa.Engine.Requests;

/// <summary>Strengths that jump: each holds from its own output token on.</summary>
public sealed record StrengthPoints : StrengthSchedule
{
    /// <summary>Makes a schedule.</summary>
    /// <param name="inOrder">At least one, in ascending order of tokens; the first is of token 0.</param>
    /// <exception cref="ArgumentException">There is none, or they are in another order.</exception>
    public StrengthPoints(params IReadOnlyList<StrengthPoint> inOrder)
    {
        for (var i = 0; i < inOrder.Count; i++)
            if (i == 0 ? inOrder[0].FromToken != 0 : inOrder[i].FromToken <= inOrder[i - 1].FromToken)
                throw new ArgumentException($"point {i} is of token {inOrder[i].FromToken}; the first must be of token 0, each other one "
                    + "of a later token than the one before it", nameof(inOrder));
        Points = inOrder.Count > 0 ? inOrder : throw new ArgumentException("at least one point is needed", nameof(inOrder));
    }

    /// <summary>The points, in ascending order of tokens.</summary>
    public IReadOnlyList<StrengthPoint> Points { get; }

    /// <inheritdoc/>
    public override AlignmentStrengths At(int index)
    {
        var (low, high) = (0, Points.Count - 1);
        while (low < high)
        {
            var middle = (low + high + 1) / 2;
            if (Points[middle].FromToken <= index) low = middle;
            else high = middle - 1;
        }
        return Points[low].Strengths;
    }

    /// <inheritdoc/>
    public bool Equals(StrengthPoints? other) => other is not null && Points.SequenceEqual(other.Points);

    /// <inheritdoc/>
    public override int GetHashCode()
    {
        var hash = new HashCode();
        foreach (var point in Points) hash.Add(point);
        return hash.ToHashCode();
    }

    /// <inheritdoc/>
    internal override void CheckFor(int modelCount)
    {
        foreach (var point in Points) point.Strengths.CheckFor(modelCount);
    }
}

/// <summary>Strengths that hold from an output token on.</summary>
/// <param name="FromToken">The first output token at them, from 0.</param>
/// <param name="Strengths">How much each model weighs.</param>
public sealed record StrengthPoint(int FromToken, AlignmentStrengths Strengths);
