using System.Text.Json;
using System.Text.Json.Nodes;
using DeRa.Serving;
using DeRa.Serving.Requests;

namespace DeRa.Server.Http.Wire;

/// <summary>Reads the body of <c>POST /v1/chat/completions</c>.</summary>
internal static class ChatRequestReader
{
    /// <summary>What it does with each field.</summary>
    public static FieldTable Table { get; } = new("ChatCompletionRequest", EndpointFields.Chat, UnsupportedFields.Chat);

    /// <summary>Reads a body.</summary>
    /// <exception cref="InvalidRequestException">A field of the wrong type or one that does not work.</exception>
    public static WireRequest Read(JsonElement body, ServedPair pair)
    {
        var fields = new JsonFields(body, Table, pair);
        var logProbs = LogProbs(fields);
        var alternatives = fields.Whole(RequestFields.TopLogProbs);
        if (alternatives is not (null or 0) && !logProbs)
            throw new InvalidRequestException("top_logprobs", "'top_logprobs' needs 'logprobs': true.");
        var input = CommonFields.Read(fields, EndpointFields.Chat, [Prompt(fields)]) with
        {
            LogProbs = logProbs ? alternatives ?? 0 : null,
            LogProbsField = RequestFields.TopLogProbs.Name,
        };
        return new WireRequest(input, CommonFields.ReadResponse(fields, logProbs), fields.Ignored);
    }

    /// <summary>Reads the conversation and what is to be done with it.</summary>
    /// <exception cref="InvalidRequestException">A field of the wrong type, or no messages.</exception>
    public static ChatPrompt Prompt(JsonFields fields) => MessagesField.Read(fields) with
    {
        AddGenerationPrompt = fields.Flag(RequestFields.AddGenerationPrompt),
        ContinueFinalMessage = fields.IsTrue(RequestFields.ContinueFinalMessage),
        Variables = Variables(fields.Value(RequestFields.ChatTemplateKwargs.Name)),
    };

    private static bool LogProbs(JsonFields fields)
    {
        var field = RequestFields.ChatLogProbs;
        return fields.Value(field.Name)?.ValueKind != JsonValueKind.Number ? fields.IsTrue(field)
            : throw JsonFields.Wrong(field.Name, "true or false; 'top_logprobs' is the number of likeliest tokens to report");
    }

    private static JsonObject? Variables(JsonElement? value)
    {
        var field = RequestFields.ChatTemplateKwargs.Name;
        if (value is not { } variables) return null;
        if (variables.ValueKind != JsonValueKind.Object) throw JsonFields.Wrong(field, "an object of the template's variables");
        // Before anything is made of them: a body has room for hundreds of thousands.
        ChatPrompt.CheckVariableCount(field, variables.GetPropertyCount());
        if (FieldText.NoUnicode(variables) is { } place)
            throw JsonFields.Wrong(string.Join('.', place.Prepend(field)), FieldText.Unicode);
        // A copy: the request's own text is gone before the template reads it.
        return JsonObject.Create(variables.Clone());
    }
}
