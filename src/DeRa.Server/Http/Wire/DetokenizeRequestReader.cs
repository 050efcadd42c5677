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
    /// <summary>What it does with each field.</summary>
    public static FieldTable Table { get; } = new("DetokenizeRequest", EndpointFields.Detokenize, UnsupportedFields.Detokenize);

    /// <summary>Reads a body.</summary>
    /// <exception cref="InvalidRequestException">A field of the wrong type, or no tokens.</exception>
    public static DetokenizeInput Read(JsonElement body, ServedPair pair)
    {
        var fields = new JsonFields(body, Table, pair);
        var name = RequestFields.Tokens.Name;
        var tokens = fields.TokenIds(RequestFields.Tokens) ?? throw new InvalidRequestException(name, $"'{name}' is missing.");
        return new DetokenizeInput(fields.Text(RequestFields.Model), tokens, fields.Ignored);
    }
}
