using System.Text.Json;
using DeRa.Engine.Requests;

namespace DeRa.Server.Http.Wire;

/// <summary>A request to <c>/detokenize</c>.</summary>
/// <param name="Model">One of the served names; null = the pair.</param>
/// <param name="Tokens">Token ids; not checked.</param>
/// <param name="Ignored">Fields that nobody here knows.</param>
internal sealed record DetokenizeInput(string? Model, IReadOnlyList<int> Tokens, IReadOnlyList<string> Ignored);

/// <summary>Reads the body of <c>POST /detokenize</c>.</summary>
internal static class DetokenizeRequestReader
{
    private const string Tokens = "tokens";

    /// <summary>What it does with each field.</summary>
    public static FieldTable Table { get; } = new(["model", Tokens], UnsupportedFields.Detokenize);

    /// <summary>Reads a body.</summary>
    /// <exception cref="InvalidRequestException">A field of the wrong type, or no tokens.</exception>
    public static DetokenizeInput Read(JsonElement body)
    {
        var fields = new RequestFields(body, Table);
        if (fields.Value(Tokens) is not { } tokens) throw new InvalidRequestException(Tokens, $"'{Tokens}' is missing.");
        if (tokens.ValueKind != JsonValueKind.Array) throw RequestFields.Wrong(Tokens, "a list of token ids");
        return new DetokenizeInput(fields.Text("model"), PromptField.Tokens(tokens, Tokens), fields.Ignored);
    }
}
