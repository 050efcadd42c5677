using System.Text.Json;
using DeRa.Serving;
using DeRa.Serving.Requests;

namespace DeRa.Server.Http.Wire;

/// <summary>Reads the body of <c>POST /v1/completions</c>.</summary>
internal static class CompletionRequestReader
{
    /// <summary>What it does with each field.</summary>
    public static FieldTable Table { get; } = new("CompletionRequest", EndpointFields.Completion, UnsupportedFields.Completion);

    /// <summary>Reads a body.</summary>
    /// <exception cref="InvalidRequestException">A field of the wrong type or one that does not work.</exception>
    public static WireRequest Read(JsonElement body, ServedPair pair)
    {
        var fields = new JsonFields(body, Table, pair);
        CheckLogProbs(fields);
        var input = CommonFields.Read(fields, EndpointFields.Completion, PromptField.Read(fields)) with
        {
            DefaultMaxTokens = RequestFields.DefaultCompletionTokens,
        };
        return new WireRequest(input, CommonFields.ReadResponse(fields, input.LogProbs is not null), fields.Ignored);
    }

    /// <summary>Of the two values that belong to a chat, false asks for what a completion has by default.</summary>
    private static void CheckLogProbs(JsonFields fields)
    {
        var field = RequestFields.LogProbs;
        if (fields.Value(field.Name)?.ValueKind == JsonValueKind.True)
            throw JsonFields.Wrong(field.Name, fields.WholeNumbers(field)
                + ", the number of likeliest tokens to report; true, with 'top_logprobs' as that number, is for /v1/chat/completions");
    }
}
