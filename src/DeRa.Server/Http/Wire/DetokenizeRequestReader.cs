using System.Text.Json;
using DeRa.Serving;
using DeRa.Serving.Requests;

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
    public static FieldTable Table { get; } = new("DetokenizeRequest", ["model", Tokens], UnsupportedFields.Detokenize);

    /// <summary>Reads a body.</summary>
    /// <exception cref="InvalidRequestException">A field of the wrong type, or no tokens.</exception>
    public static DetokenizeInput Read(JsonElement body, ServedPair pair)
    {
        var fields = new RequestFields(body, Table, pair);
        var tokens = fields.TokenIds(Tokens) ?? throw new InvalidRequestException(Tokens, $"'{Tokens}' is missing.");
        return new DetokenizeInput(fields.Text("model"), tokens, fields.Ignored);
    }
}
