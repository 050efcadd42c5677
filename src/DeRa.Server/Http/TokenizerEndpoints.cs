using System.Text.Json;
using DeRa.Server.Composition;
using DeRa.Server.Http.Wire;

namespace DeRa.Server.Http;

/// <summary><c>POST /tokenize</c> and <c>POST /detokenize</c>: what the tokenizer makes of a prompt, without generating.</summary>
internal sealed class TokenizerEndpoints(ServingState state)
{
    /// <summary>Text or a conversation to tokens.</summary>
    public async Task TokenizeAsync(HttpContext context)
    {
        using var lease = state.Enter();
        var input = await ReadAsync(context, body => TokenizeRequestReader.Read(body, lease.Pair), input => input.Ignored);
        var tokens = lease.Pair.Validator.Tokenize(input.Model, input.Prompt, input.AddSpecialTokens, input.ParseSpecial);
        await WireJson.RespondAsync(context.Response, StatusCodes.Status200OK, json =>
        {
            json.WriteStartObject();
            json.WriteNumber("count"u8, tokens.Count);
            json.WriteNumber("max_model_len"u8, lease.Pair.Engine.Limits.ContextTokens);
            json.WriteStartArray("tokens"u8);
            foreach (var token in tokens) json.WriteNumberValue(token);
            json.WriteEndArray();
            WriteSpellings(json, input.TokenStrings ? tokens.Select(token => lease.Pair.Tokenizer.GetToken(token) ?? "") : null);
            json.WriteEndObject();
        });
    }

    /// <summary>Tokens to text, special tokens spelt out.</summary>
    public async Task DetokenizeAsync(HttpContext context)
    {
        using var lease = state.Enter();
        var input = await ReadAsync(context, body => DetokenizeRequestReader.Read(body, lease.Pair), input => input.Ignored);
        var text = lease.Pair.Validator.Detokenize(input.Model, input.Tokens, "tokens", skipSpecialTokens: false);
        await WireJson.RespondAsync(context.Response, StatusCodes.Status200OK, json =>
        {
            json.WriteStartObject();
            json.WriteString("prompt"u8, text);
            json.WriteEndObject();
        });
    }

    private static async Task<T> ReadAsync<T>(HttpContext context, Func<JsonElement, T> read, Func<T, IReadOnlyList<string>> ignored)
    {
        using var document = await RequestBody.ReadAsync(context.Request, context.RequestAborted);
        var input = read(document.RootElement);
        IgnoredFields.Announce(context, ignored(input));
        context.RequestAborted.ThrowIfCancellationRequested();
        return input;
    }

    private static void WriteSpellings(Utf8JsonWriter json, IEnumerable<string>? spellings)
    {
        json.WritePropertyName("token_strs"u8);
        if (spellings is null)
        {
            json.WriteNullValue();
            return;
        }
        json.WriteStartArray();
        foreach (var spelling in spellings) json.WriteStringValue(spelling);
        json.WriteEndArray();
    }
}
