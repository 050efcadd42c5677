using System.Text.Json;
using System.Text.Json.Nodes;
using DeRa.Serving;
using DeRa.Serving.Requests;

namespace DeRa.Server.Http.Wire;

/// <summary>Reads the body of <c>POST /v1/chat/completions</c>.</summary>
internal static class ChatRequestReader
{
    /// <summary>What it does with each field.</summary>
    public static FieldTable Table { get; } = new("ChatCompletionRequest",
        [.. CommonFields.Names, "messages", "top_logprobs", "add_generation_prompt", "continue_final_message", "chat_template_kwargs"],
        UnsupportedFields.Chat);

    /// <summary>Reads a body.</summary>
    /// <exception cref="InvalidRequestException">A field of the wrong type or one that does not work.</exception>
    public static WireRequest Read(JsonElement body, ServedPair pair)
    {
        var fields = new RequestFields(body, Table, pair);
        var logProbs = LogProbs(fields);
        var alternatives = fields.Integer("top_logprobs");
        if (alternatives is not (null or 0) && !logProbs)
            throw new InvalidRequestException("top_logprobs", "'top_logprobs' needs 'logprobs': true.");
        var input = CommonFields.Read(fields, [Prompt(fields)]) with
        {
            LogProbs = logProbs ? alternatives ?? 0 : null,
            LogProbsField = "top_logprobs",
        };
        return new WireRequest(input, CommonFields.ReadAnswer(fields, logProbs), fields.Ignored);
    }

    /// <summary>Reads the conversation and what is to be done with it.</summary>
    /// <exception cref="InvalidRequestException">A field of the wrong type, or no messages.</exception>
    public static ChatPrompt Prompt(RequestFields fields) => MessagesField.Read(fields) with
    {
        AddGenerationPrompt = fields.Truth("add_generation_prompt"),
        ContinueFinalMessage = fields.Flag("continue_final_message"),
        Variables = Variables(fields.Value("chat_template_kwargs")),
    };

    private static bool LogProbs(RequestFields fields)
    {
        const string field = "logprobs";
        return fields.Value(field)?.ValueKind != JsonValueKind.Number ? fields.Flag(field)
            : throw RequestFields.Wrong(field, "true or false; 'top_logprobs' is the number of likeliest tokens to report");
    }

    private static JsonObject? Variables(JsonElement? value)
    {
        const string field = "chat_template_kwargs";
        if (value is not { } variables) return null;
        if (variables.ValueKind != JsonValueKind.Object) throw RequestFields.Wrong(field, "an object of the template's variables");
        // Before anything is made of them: a body has room for hundreds of thousands.
        ChatPrompt.CheckVariableCount(field, variables.GetPropertyCount());
        if (FieldText.NoUnicode(variables) is { } place)
            throw RequestFields.Wrong(string.Join('.', place.Prepend(field)), FieldText.Unicode);
        // A copy: the request's own text is gone before the template reads it.
        return JsonObject.Create(variables.Clone());
    }
}
