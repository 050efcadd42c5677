using System.Text.Json;
using DeRa.Engine.Requests;

namespace DeRa.Server.Http.Wire;

/// <summary>Reads the body of <c>POST /v1/completions</c>.</summary>
internal static class CompletionRequestReader
{
    /// <summary>OpenAI's default.</summary>
    public const int DefaultMaxTokens = 16;

    /// <summary>What it does with each field.</summary>
    public static FieldTable Table { get; } = new([.. CommonFields.Names, "prompt", "echo", "best_of", "parse_special"],
        UnsupportedFields.Completion);

    /// <summary>Reads a body.</summary>
    /// <exception cref="InvalidRequestException">A field of the wrong type or one that does not work.</exception>
    public static WireRequest Read(JsonElement body)
    {
        var fields = new RequestFields(body, Table);
        var logProbs = fields.Integer("logprobs");
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
}
