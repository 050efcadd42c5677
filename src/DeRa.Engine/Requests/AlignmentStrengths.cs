using System.Collections.Immutable;

namespace DeRa.Engine.Requests;

/// <summary>
/// The weights of a mixture: each aligned model its λ, the reference model what is left of 1 (DeRa, appendix B):
/// <c>softmax((1 − Σλ_i)·h_reference + Σλ_i·h_i)</c>. Immutable, equal by value; any thread.
/// </summary>
public sealed class AlignmentStrengths : IEquatable<AlignmentStrengths>
{
    /// <summary>Below this the reference's weight is what rounding left of decimals that add up to 1.</summary>
    private const double RoundingError = 1e-12;

    private readonly double[] _aligned;

    /// <summary>Makes a mixture.</summary>
    /// <param name="aligned">λ of each aligned model, in the order in which the pair names them; those beyond it weigh 0.</param>
    public AlignmentStrengths(params ReadOnlySpan<double> aligned)
    {
        _aligned = aligned.TrimEnd(0).ToArray();
        var sum = 0.0;
        foreach (var strength in _aligned) sum += strength;
        var rest = 1 - sum;
        Reference = Math.Abs(rest) < RoundingError ? 0 : rest;
        // A schedule makes one of these for a token: no LINQ.
        var active = ImmutableArray.CreateBuilder<int>(_aligned.Length + 1);
        for (var member = 0; member <= _aligned.Length; member++)
            if (OfMember(member) != 0) active.Add(member);
        ActiveModels = WeightedModels = active.DrainToImmutable();
    }

    private AlignmentStrengths(AlignmentStrengths weights, ImmutableArray<int> models) =>
        (_aligned, Reference, WeightedModels, ActiveModels) = (weights._aligned, weights.Reference, weights.WeightedModels, models);

    /// <summary>What the reference model weighs, 1 − Σλ; 0 where the aligned models' strengths add up to 1.</summary>
    public double Reference { get; }

    /// <summary>Aligned models up to the last one that weighs anything.</summary>
    public int Count => _aligned.Length;

    /// <summary>λ of one aligned model; 0 beyond <see cref="Count"/>.</summary>
    /// <param name="aligned">Its index, from 0.</param>
    public double this[int aligned] => aligned < _aligned.Length ? _aligned[aligned] : 0;

    /// <summary>The weight of one model of the pair.</summary>
    /// <param name="member">0 = the reference, i = the aligned model i − 1.</param>
    public double OfMember(int member) => member == 0 ? Reference : this[member - 1];

    /// <summary>
    /// The models whose weight is not 0, in ascending order: 0 = the reference, i = the aligned model i − 1. At least one.
    /// </summary>
    public ImmutableArray<int> WeightedModels { get; }

    /// <summary>
    /// The models that run, in ascending order: those of <see cref="WeightedModels"/>, and of <see cref="WithAllModels"/> the others too.
    /// </summary>
    public ImmutableArray<int> ActiveModels { get; }

    /// <summary>The same mixture, for which every model runs: what one without a weight says of the token is measured.</summary>
    /// <param name="modelCount">Models of the pair, the reference too; more than <see cref="Count"/>.</param>
    public AlignmentStrengths WithAllModels(int modelCount) =>
        ActiveModels.Length == modelCount ? this : new(this, [.. Enumerable.Range(0, modelCount)]);

    /// <summary>Whether a model is one of <see cref="ActiveModels"/>.</summary>
    /// <param name="member">0 = the reference, i = the aligned model i − 1.</param>
    public bool IsActive(int member) => ActiveModels.AsSpan().Contains(member);

    /// <summary>Whether its active models are another mixture's.</summary>
    internal bool HasModelsOf(AlignmentStrengths other) => ActiveModels.AsSpan().SequenceEqual(other.ActiveModels.AsSpan());

    /// <summary>Whether every weight is a finite number.</summary>
    public bool IsFinite => double.IsFinite(Reference) && Array.TrueForAll(_aligned, double.IsFinite);

    /// <summary>Refuses weights that are no finite numbers, or that are for models that are not there.</summary>
    /// <param name="modelCount">Models of the pair, the reference too.</param>
    /// <exception cref="ArgumentException">They cannot be applied.</exception>
    internal void CheckFor(int modelCount)
    {
        if (!IsFinite || Count >= modelCount)
            throw new ArgumentException($"strengths must be finite, for at most {modelCount - 1} aligned models; these are for {Count}");
    }

    /// <summary>The mixture of the reference and the first aligned model.</summary>
    public static implicit operator AlignmentStrengths(double first) => new(first);

    /// <inheritdoc/>
    public bool Equals(AlignmentStrengths? other) => other is not null && _aligned.AsSpan().SequenceEqual(other._aligned);

    /// <inheritdoc/>
    public override bool Equals(object? obj) => Equals(obj as AlignmentStrengths);

    /// <inheritdoc/>
    public override int GetHashCode()
    {
        var hash = new HashCode();
        foreach (var strength in _aligned) hash.Add(strength);
        return hash.ToHashCode();
    }
}
