using DeRa.Engine.Requests;

namespace DeRa.Serving.Requests;

/// <summary>Finds the mixture that a request asks for: by a number, by a number for each aligned model, or by the model's name.</summary>
/// <param name="names">What is served.</param>
/// <param name="limits">The range of a strength, and of their sum.</param>
internal sealed class StrengthFields(ServedNames names, RequestLimits limits)
{
    private const string NamedField = "alignment_strengths";

    /// <exception cref="InvalidRequestException">An unknown name, a strength out of range, or two that contradict each other.</exception>
    public AlignmentStrengths Read(GenerationInput input)
    {
        var byModel = names.Find(input.Model);
        if (byModel is not null) Check(byModel, _ => "model", $"the strength in '{input.Model}'");
        var (field, sent) = Sent(input);
        if (sent is not null && byModel is not null && !sent.Equals(byModel))
            throw new InvalidRequestException(field,
                $"The model '{input.Model}' fixes the mixture, and '{field}' asks for another; send one of them.");
        return sent ?? byModel ?? 1;
    }

    private (string Field, AlignmentStrengths? Strengths) Sent(GenerationInput input)
    {
        var field = input.AlignmentStrengthField;
        if (input.NamedStrengths is not { } named)
            return (field, input.AlignmentStrength is { } first ? Check(first, _ => field) : null);
        if (input.AlignmentStrength is not null)
            throw new InvalidRequestException(NamedField, $"'{NamedField}' and '{field}' are both set; send one of them.");
        return (NamedField, Check(names.Read(named, NamedField), i => $"{NamedField}.{names.Aligned[i]}"));
    }

    private AlignmentStrengths Check(AlignmentStrengths strengths, Func<int, string> field, string? what = null)
    {
        for (var i = 0; i < strengths.Count; i++) InRange(field(i), strengths[i], what);
        // Rounded: as binary fractions, decimals that add up to the limit may add up to a little more.
        if (strengths.Count > 1) InRange(NamedField, Math.Round(1 - strengths.Reference, 12), $"the sum of '{NamedField}'");
        return strengths;
    }

    private void InRange(string field, double strength, string? what) =>
        FieldRange.Between(field, strength, limits.MinStrength, limits.MaxStrength, what);
}
