using DeRa.Engine.Requests;

namespace DeRa.Server.Responses;

/// <summary>How a response reports the mixture that made it.</summary>
internal sealed class EffectiveStrengths
{
    /// <summary>The strengths of a mixture, with the names of the aligned models.</summary>
    public EffectiveStrengths(AlignmentStrengths strengths, IReadOnlyList<string> aligned)
    {
        Single = strengths.Count <= 1 ? strengths[0] : null;
        ByName = aligned.Count > 1 ? [.. aligned.Select((name, i) => (name, strengths[i]))] : null;
    }

    /// <summary>λ of the first aligned model; null where another one has a weight too.</summary>
    public double? Single { get; }

    /// <summary>λ of each aligned model; null where the pair has one only.</summary>
    public IReadOnlyList<(string Name, double Strength)>? ByName { get; }

    /// <summary>Adds <see cref="ByName"/> to a message's map.</summary>
    public void AddTo(IDictionary<string, double> map)
    {
        foreach (var (name, strength) in ByName ?? []) map.Add(name, strength);
    }
}
