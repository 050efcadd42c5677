using System.Globalization;
using DeRa.Engine.Requests;

namespace DeRa.Serving.Requests;

/// <summary>
/// The names under which a pair is served: its own (the mixture), <c>pair@0.5</c> (the mixture at that strength of the first
/// aligned model), <c>pair-reference</c>, and <c>pair-NAME</c> for each aligned model. Immutable; any thread.
/// </summary>
public sealed class ServedNames
{
    /// <summary>The name of an aligned model that is given none.</summary>
    public const string DefaultAligned = "aligned";

    private const string ReferenceName = "reference";
    private const int MaxLength = 64;

    /// <summary>Names a pair.</summary>
    /// <param name="pair">Its name.</param>
    /// <param name="aligned">The aligned models' names, at least one, in order; the first is what a single strength is about.</param>
    /// <exception cref="FormatException">
    /// Two aligned models have one name, one is called reference, or has other than 1 to 64 letters, digits, '.', '_' and '-'.
    /// </exception>
    public ServedNames(string pair, IReadOnlyList<string> aligned)
    {
        (Pair, Aligned) = (pair, aligned);
        foreach (var name in aligned)
            if (!IsName(name) || name == ReferenceName)
                throw new FormatException($"--aligned: '{name}' is not a name for an aligned model; it must have 1 to {MaxLength} letters, "
                    + "digits, '.', '_' or '-', and not be 'reference'.");
        if (aligned.GroupBy(name => name).FirstOrDefault(group => group.Count() > 1) is { } twice)
            throw new FormatException($"--aligned: two models are named '{twice.Key}'; names must differ.");
    }

    /// <summary>The pair's name.</summary>
    public string Pair { get; }

    /// <summary>The aligned models' names, in order.</summary>
    public IReadOnlyList<string> Aligned { get; }

    /// <summary>The names of the rewards that may score what is generated.</summary>
    public IReadOnlyList<string> Rewards { get; init; } = [];

    /// <summary>Every name under which something is listed: the pair, the reference model, each aligned model.</summary>
    public IReadOnlyList<string> All => [Pair, MemberName(ReferenceName), .. Aligned.Select(MemberName)];

    /// <summary>Whether a text may be the name of an aligned model.</summary>
    public static bool IsName(string text) =>
        text.Length is >= 1 and <= MaxLength && text.All(c => char.IsAsciiLetterOrDigit(c) || c is '.' or '_' or '-');

    /// <summary>The strength of each model under such a name; null where the name leaves that to the request's fields.</summary>
    /// <exception cref="InvalidRequestException">Nothing is served under that name.</exception>
    public AlignmentStrengths? Find(string? model)
    {
        if (string.IsNullOrEmpty(model) || model == Pair) return null;
        if (model == MemberName(ReferenceName)) return new AlignmentStrengths();
        for (var i = 0; i < Aligned.Count; i++)
            if (model == MemberName(Aligned[i])) return Only(i, 1);
        if (!model.StartsWith(Pair + "@", StringComparison.Ordinal)) throw Unknown(model);
        return double.TryParse(model.AsSpan(Pair.Length + 1), NumberStyles.Float, CultureInfo.InvariantCulture, out var strength)
            ? strength
            : throw new InvalidRequestException("model",
                $"'{model}' has no number after '@'; an alignment strength must follow it, as in '{Pair}@0.5'.");
    }

    /// <summary>Whether a name has a strength in it, as <c>pair@0.5</c>, which holds where nothing else says one.</summary>
    public bool HasStrength(string? model) => model?.StartsWith(Pair + "@", StringComparison.Ordinal) == true;

    /// <summary>Reads strengths by name; aligned models that are not named have 0.</summary>
    /// <exception cref="InvalidRequestException">A name is none of theirs.</exception>
    public AlignmentStrengths Read(IReadOnlyDictionary<string, double> byName, string field)
    {
        var strengths = new double[Aligned.Count];
        foreach (var (name, strength) in byName)
        {
            var index = Aligned.ToList().IndexOf(name);
            if (index < 0)
                throw new InvalidRequestException($"{field}.{name}",
                    $"'{field}' names '{name}', which is none of the aligned models: {string.Join(", ", Aligned)}.");
            strengths[index] = strength;
        }
        return new AlignmentStrengths(strengths);
    }

    private InvalidRequestException Unknown(string model) => new("model",
        $"The model '{model}' is not served here; {string.Join(", ", All.Select(name => $"'{name}'"))} and '{Pair}@STRENGTH' are.",
        InvalidRequestException.ModelNotFound);

    private static AlignmentStrengths Only(int aligned, double strength)
    {
        var strengths = new double[aligned + 1];
        strengths[aligned] = strength;
        return new AlignmentStrengths(strengths);
    }

    private string MemberName(string member) => $"{Pair}-{member}";
}
