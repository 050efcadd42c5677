using System.Text.Json;
using DeRa.Serving;
using DeRa.Serving.Requests;

namespace DeRa.Server.Http.Wire;

/// <summary>Reads the body of <c>POST /v1/completions</c>.</summary>
internal static class CompletionRequestReader
{
    /// <summary>OpenAI's default.</summary>
    public const int DefaultMaxTokens = 16;

    /// <summary>What it does with each field.</summary>
    public static FieldTable Table { get; } = new("CompletionRequest", [.. CommonFields.Names, "prompt", "echo", "best_of", "parse_special"],
        UnsupportedFields.Completion);

    /// <summary>Reads a body.</summary>
    /// <exception cref="InvalidRequestException">A field of the wrong type or one that does not work.</exception>
    public static WireRequest Read(JsonElement body, ServedPair pair)
    {
        var fields = new RequestFields(body, Table, pair);
        var logProbs = LogProbs(fields);
        var input = CommonFields.Read(fields, PromptField.Read(fields)) with
        {
            DefaultMaxTokens = DefaultMaxTokens,
            LogProbs = logProbs,
            Echo = fields.Flag("echo"),
            BestOf = fields.Integer("best_of"),
            ParseSpecial = fields.Flag("parse_special"),
        };
        return new WireRequest(input, CommonFields.ReadAnswer(fields, logProbs is not null), fields.Ignored);
    }

    /// <summary>Of the two values that belong to a chat, false asks for what a completion has by default.</summary>
    private static int? LogProbs(RequestFields fields)
    {
        const string field = "logprobs";
        return fields.Value(field)?.ValueKind switch
        {
            JsonValueKind.False => null,
            JsonValueKind.True => throw RequestFields.Wrong(field, fields.WholeNumbers(field)
                + ", the number of likeliest tokens to report; true, with 'top_logprobs' as that number, is for /v1/chat/completions"),
            _ => fields.Integer(field),
        };
    }
}
