using System.Text.Json;
using DeRa.Serving.Requests;

namespace DeRa.Server.Http.Wire;

/// <summary>Reads <c>prompt</c>: a text, a list of texts, a list of token ids, or a list of such lists.</summary>
internal static class PromptField
{
    private static readonly string Name = RequestFields.Prompt.Name;

    /// <summary>Reads the prompts in their order.</summary>
    /// <exception cref="InvalidRequestException">It is missing or of another form.</exception>
    public static IReadOnlyList<PromptInput> Read(JsonFields fields)
    {
        if (fields.Value(Name) is not { } prompt) throw new InvalidRequestException(Name, $"'{Name}' is missing.");
        if (prompt.ValueKind == JsonValueKind.String) return [new TextPrompt(FieldText.Of(prompt, Name))];
        if (prompt.ValueKind != JsonValueKind.Array) throw Form(Name);
        if (prompt.GetArrayLength() > 0 && prompt[0].ValueKind == JsonValueKind.Number)
            return [new TokenPrompt(fields.TokenIds(prompt, Name, RequestFields.Prompt))];
        return [.. prompt.EnumerateArray().Select((element, i) => One(fields, element, $"{Name}[{i}]"))];
    }

    private static PromptInput One(JsonFields fields, JsonElement prompt, string field) => prompt.ValueKind switch
    {
        JsonValueKind.String => new TextPrompt(FieldText.Of(prompt, field), field),
        JsonValueKind.Array => new TokenPrompt(fields.TokenIds(prompt, field, RequestFields.Prompt), field),
        _ => throw Form(field),
    };

    private static InvalidRequestException Form(string field) => JsonFields.Wrong(field, field == Name
        ? "a string, a list of strings, a list of token ids, or a list of such lists" : "a string or a list of token ids");
}
