using System.Text.Json;
using DeRa.Server.Http.Wire;
using DeRa.Server.State;

namespace DeRa.Server.Http;

/// <summary><c>POST /tokenize</c> and <c>POST /detokenize</c>: what the tokenizer makes of a prompt, without generating.</summary>
internal sealed class TokenizerEndpoints(ServingState state, JsonRequestReader reader)
{
    /// <summary>Text or a conversation to tokens.</summary>
    public async Task TokenizeAsync(HttpContext context)
    {
        using var lease = state.Enter();
        using var admitted = await reader.ReadAsync(context, body =>
        {
            var read = TokenizeRequestReader.Read(body, lease.Pair);
            IgnoredFields.Announce(context, read.Ignored);
            return (read, lease.Pair.Validator.Tokenize(read.Model, read.Prompt, read.AddSpecialTokens, read.ParseSpecial));
        });
        var (input, tokens) = admitted.Value;
        await WireJson.RespondAsync(context.Response, StatusCodes.Status200OK, json =>
        {
            json.WriteStartObject();
            json.WriteNumber("count"u8, tokens.Count);
            json.WriteNumber("max_model_len"u8, lease.Pair.Engine.Limits.ContextTokens);
            json.WriteStartArray("tokens"u8);
            foreach (var token in tokens) json.WriteNumberValue(token);
            json.WriteEndArray();
            WriteTokenStrings(json, input.TokenStrings ? tokens.Select(token => lease.Pair.Tokenizer.GetToken(token) ?? "") : null);
            json.WriteEndObject();
        });
    }

    /// <summary>Tokens to text, special tokens by their names.</summary>
    public async Task DetokenizeAsync(HttpContext context)
    {
        using var lease = state.Enter();
        using var admitted = await reader.ReadAsync(context, body =>
        {
            var read = DetokenizeRequestReader.Read(body, lease.Pair);
            IgnoredFields.Announce(context, read.Ignored);
            return lease.Pair.Validator.Detokenize(read.Model, read.Tokens, "tokens", skipSpecialTokens: false);
        });
        await WireJson.RespondAsync(context.Response, StatusCodes.Status200OK, json =>
        {
            json.WriteStartObject();
            json.WriteString("prompt"u8, admitted.Value);
            json.WriteEndObject();
        });
    }

    private static void WriteTokenStrings(Utf8JsonWriter json, IEnumerable<string>? texts)
    {
        json.WritePropertyName("token_strs"u8);
        if (texts is null)
        {
            json.WriteNullValue();
            return;
        }
        json.WriteStartArray();
        foreach (var text in texts) json.WriteStringValue(text);
        json.WriteEndArray();
    }
}
