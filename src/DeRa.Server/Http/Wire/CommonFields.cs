using System.Text.Json;
using DeRa.Serving.Requests;

namespace DeRa.Server.Http.Wire;

/// <summary>The fields that both endpoints share.</summary>
internal static class CommonFields
{
    /// <summary>Reads all that are read alike at both endpoints and over gRPC.</summary>
    /// <param name="fields">The request's fields.</param>
    /// <param name="table">The fields that the endpoint takes.</param>
    /// <param name="prompts">The prompts, which each endpoint reads in its own way.</param>
    /// <exception cref="InvalidRequestException">A field of the wrong type, or two that contradict each other.</exception>
    public static GenerationInput Read(JsonFields fields, IReadOnlyList<RequestField> table, IReadOnlyList<PromptInput> prompts) =>
        table.Aggregate(new GenerationInput { Prompts = prompts }, (input, field) => field.Read(fields, input));

    /// <summary>Reads how to respond.</summary>
    /// <exception cref="InvalidRequestException">A field of the wrong type, or stream options without a stream.</exception>
    public static ResponseOptions ReadResponse(JsonFields fields, bool logProbs)
    {
        var stream = fields.IsTrue(RequestFields.Stream);
        var options = StreamOptions(fields.Value(RequestFields.StreamOptions.Name), stream);
        return new ResponseOptions
        {
            Stream = stream,
            IncludeUsage = options.Contains("include_usage"),
            // Without include_usage it asks for nothing, as in vLLM.
            ContinuousUsage = options.IsSupersetOf(["include_usage", "continuous_usage_stats"]),
            TokensAsIds = fields.IsTrue(RequestFields.ReturnTokensAsIds),
            TokenIds = fields.IsTrue(RequestFields.ReturnTokenIds),
            LogProbs = logProbs,
            Measures = fields.Measures(MeasureFields.Measures) is not null,
            PromptLogProbs = fields.Whole(RequestFields.PromptLogProbs),
        };
    }

    /// <summary>The stream's options that are true.</summary>
    private static HashSet<string> StreamOptions(JsonElement? value, bool stream)
    {
        if (value is not { } options) return [];
        if (options.ValueKind != JsonValueKind.Object) throw JsonFields.Wrong("stream_options", "an object");
        HashSet<string> asked = [.. options.EnumerateObject().Select(option => (Name: FieldText.Name(option), option.Value))
            .Where(option => StreamOption(option.Name, option.Value)).Select(option => option.Name)];
        return stream || asked.Count == 0 ? asked
            : throw new InvalidRequestException("stream_options", "'stream_options' needs 'stream': true.");
    }

    /// <summary>Whether the option is true.</summary>
    private static bool StreamOption(string name, JsonElement value)
    {
        if (value.ValueKind == JsonValueKind.Null) return false;
        var field = $"stream_options.{name}";
        if (!RequestFields.StreamOptionNames.Contains(name))
            throw new InvalidRequestException(field, $"'{field}' does not work here; 'stream_options.include_usage' does.");
        return value.ValueKind switch
        {
            JsonValueKind.True => true,
            JsonValueKind.False => false,
            _ => throw JsonFields.Wrong(field, "true or false"),
        };
    }
}
