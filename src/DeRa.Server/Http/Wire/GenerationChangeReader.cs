using System.Text.Json;
using DeRa.Engine.Requests;
using DeRa.Serving;
using DeRa.Serving.Requests;

namespace DeRa.Server.Http.Wire;

/// <summary>What is asked of a running generation.</summary>
/// <param name="Strengths">The mixture of the tokens that follow; null = it is to end.</param>
/// <param name="Choice">The choice that is meant; null = all.</param>
/// <param name="Ignored">Fields that nobody here knows.</param>
internal sealed record GenerationChange(AlignmentStrengths? Strengths, int? Choice, IReadOnlyList<string> Ignored);

/// <summary>Reads the body of <c>POST /v1/realignment/generations/{id}</c>.</summary>
internal static class GenerationChangeReader
{
    /// <summary>What it does with each field.</summary>
    public static FieldTable Table { get; } =
        new("GenerationChangeRequest", EndpointFields.GenerationChange, new Dictionary<string, UnsupportedField>());

    /// <summary>Reads a body.</summary>
    /// <param name="body">The body.</param>
    /// <param name="pair">What serves the generation.</param>
    /// <param name="choices">How many choices the generation has.</param>
    /// <exception cref="InvalidRequestException">
    /// A field of the wrong type or out of range, strengths beside an end, or none of both.
    /// </exception>
    public static GenerationChange Read(JsonElement body, ServedPair pair, int choices)
    {
        var fields = new JsonFields(body, Table, pair);
        var (choice, stop) = (RealignmentFields.Choice, RealignmentFields.StopGeneration);
        int? chosen = fields.Whole(choice) is { } index ? NumberRange.Whole(0, choices - 1).Check(choice.Name, index) : null;
        return new GenerationChange(fields.IsTrue(stop) ? Nothing(fields, stop) : Strengths(fields, pair), chosen, fields.Ignored);
    }

    private static AlignmentStrengths? Nothing(JsonFields fields, RequestField stop) => Sent(fields) is not { } sent ? null
        : throw new InvalidRequestException(stop.Name, $"'{stop.Name}' and '{sent}' are both set; send one of them.");

    private static AlignmentStrengths Strengths(JsonFields fields, ServedPair pair) => Sent(fields) is null
        ? throw new InvalidRequestException(RequestFields.Strength.Name,
            "'alignment_strength' or 'alignment_strengths' is needed, or 'stop': true.")
        : pair.Validator.PrepareStrengths(fields.Number(RequestFields.Strength), fields.NamedNumbers(RequestFields.NamedStrengths),
            fields.SentName(RequestFields.Strength));

    private static string? Sent(JsonFields fields) => fields.NamedNumbers(RequestFields.NamedStrengths) is not null
        ? RequestFields.NamedStrengths.Name
        : fields.Number(RequestFields.Strength) is not null ? fields.SentName(RequestFields.Strength) : null;
}
