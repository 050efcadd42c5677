using DeRa.Engine.Requests;

namespace DeRa.Serving.Requests;

/// <summary>The request field that asks for measures, its check, and what leaves a sequence's importance weight undefined.</summary>
public static class MeasureFields
{
    private const string TopField = "measures.top";

    /// <summary><c>measures</c>.</summary>
    public static RequestField Measures { get; } = new("measures",
        context => new AnyForm(new FlagForm(), new ObjectForm([("top", context.Alternatives)])),
        "Reports with each token its log-probability under each model and in the mixture, the mixture's KL divergence from each, the "
            + "implicit reward and log Z, and with each choice their sums; top: so many likeliest tokens of each distribution too.")
    {
        Reader = (source, field, input) => input with { Measures = source.Measures(field) },
    };

    /// <summary>Checks how many tokens are asked for.</summary>
    /// <param name="input">What was asked for.</param>
    /// <param name="context">What is served.</param>
    /// <returns>How many; null = no measures.</returns>
    /// <exception cref="InvalidRequestException">It is out of range.</exception>
    internal static int? Checked(GenerationInput input, FieldContext context) =>
        input.Measures is { } top ? context.Alternatives.Check(TopField, top) : null;

    /// <summary>
    /// The field that makes tokens be drawn from another distribution than the mixture, or choices be chosen by it: then Σ log Z is no
    /// weight. Null where none does.
    /// </summary>
    /// <param name="request">What runs.</param>
    /// <param name="input">What was asked for.</param>
    /// <param name="vocabularySize">Size of the vocabulary.</param>
    /// <param name="areRanked">Whether only the likeliest choices come back.</param>
    internal static string? WeightFault(GenerationRequest request, GenerationInput input, int vocabularySize, bool areRanked)
    {
        var sampling = request.Sampling;
        (string Field, bool Changes)[] fields =
        [
            ("temperature", sampling.Temperature != 1),
            ("top_k", sampling.TopK > 0 && sampling.TopK < vocabularySize),
            ("top_p", sampling.TopP < 1),
            ("min_p", sampling.MinP > 0),
            (SamplingFields.TypicalP.Name, sampling.TypicalP < 1),
            ("repetition_penalty", sampling.RepetitionPenalty != 1),
            ("frequency_penalty", sampling.FrequencyPenalty != 0),
            ("presence_penalty", sampling.PresencePenalty != 0),
            (RequestFields.LogitBias.Name, sampling.LogitBias.Any(bias => bias.Value != 0)),
            (RequestFields.AllowedTokenIds.Name, sampling.AllowedTokens is not null),
            (RequestFields.BadWords.Name, sampling.BadWords.Count > 0),
            (SamplingFields.MinTokens.Name, sampling.MinTokens > 0),
            (RequestFields.IgnoreEos.Name, input.IgnoreEos),
            (RequestFields.BestOf.Name, areRanked),
            (RealignmentFields.Schedule.Name, request.Schedule is not null),
        ];
        return fields.FirstOrDefault(field => field.Changes).Field;
    }
}
