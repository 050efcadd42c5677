using System.Text.Json;
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

    /// <summary>Writes them as fields of the object that is open.</summary>
    public void WriteTo(Utf8JsonWriter json)
    {
        if (Single is { } strength) json.WriteNumber("alignment_strength"u8, strength);
        if (ByName is not { } named) return;
        json.WriteStartObject("alignment_strengths"u8);
        foreach (var (name, own) in named) json.WriteNumber(name, own);
        json.WriteEndObject();
    }

    /// <summary>Adds <see cref="ByName"/> to a message's map.</summary>
    public void AddTo(IDictionary<string, double> map)
    {
        foreach (var (name, strength) in ByName ?? []) map.Add(name, strength);
    }
}
