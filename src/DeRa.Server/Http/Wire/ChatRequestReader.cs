using System.Text.Json;
using DeRa.Engine.Requests;

namespace DeRa.Server.Http.Wire;

/// <summary>Reads the body of <c>POST /v1/chat/completions</c>.</summary>
internal static class ChatRequestReader
{
    /// <summary>What it does with each field.</summary>
    public static FieldTable Table { get; } = new([.. CommonFields.Names, "messages", "top_logprobs"],
        UnsupportedFields.Chat);

    /// <summary>Reads a body.</summary>
    /// <exception cref="InvalidRequestException">A field of the wrong type or one that does not work.</exception>
    public static WireRequest Read(JsonElement body)
    {
        var fields = new RequestFields(body, Table);
        var logProbs = fields.Flag("logprobs");
        var alternatives = fields.Integer("top_logprobs");
        if (alternatives is not null && !logProbs)
            throw new InvalidRequestException("top_logprobs", "'top_logprobs' needs 'logprobs': true.");
        var input = CommonFields.Read(fields, [MessagesField.Read(fields)]) with
        {
            LogProbs = logProbs ? alternatives ?? 0 : null,
            LogProbsField = "top_logprobs",
        };
        return new WireRequest(input, CommonFields.ReadAnswer(fields, logProbs), fields.Ignored);
    }
}
