using System.Text.Json;
using DeRa.Serving.Streaming;

namespace DeRa.Server.Http.Wire;

/// <summary>Writes responses of <c>/v1/completions</c>.</summary>
/// <param name="header">What every object repeats.</param>
/// <param name="options">How the response is wanted.</param>
/// <param name="texts">Formats tokens.</param>
internal sealed class CompletionResponseWriter(ResponseHeader header, ResponseOptions options, TokenTexts texts)
    : ResponseWriter(header, options, texts)
{
    private readonly HashSet<int> _begun = [];

    /// <inheritdoc/>
    protected override string WholeObject => "text_completion";

    /// <inheritdoc/>
    protected override string ChunkObject => "text_completion";

    /// <inheritdoc/>
    protected override void WriteChunks(EventStream events, ChoiceDelta piece, Usage usage)
    {
        if (!HasContent(piece) && piece.FinishReason is null) return;
        var json = OpenChunk(events, piece.Index);
        WriteBody(json, piece.Text, piece.Tokens);
        WriteMeasures(json, piece.Tokens, piece.Measures);
        if (_begun.Add(piece.Index)) WritePromptIds(json, piece.Index);
        CloseChunk(events, json, piece, usage);
    }

    /// <inheritdoc/>
    protected override void WriteChoice(Utf8JsonWriter json, int index, WholeChoice choice)
    {
        json.WriteStartObject();
        WriteIndex(json, index);
        WriteBody(json, choice.Text, choice.Tokens);
        WriteMeasures(json, choice.Tokens, choice.Measures);
        WritePromptIds(json, index);
        WritePromptLogProbs(json, choice);
        WriteEnd(json, choice.FinishReason, choice.StopString, choice.StopToken);
        WriteRewards(json, choice.Rewards);
        json.WriteEndObject();
    }

    private void WriteBody(Utf8JsonWriter json, string text, IReadOnlyList<OutputToken> tokens)
    {
        json.WriteString("text"u8, text);
        if (Options.LogProbs) WriteLogProbs(json, tokens);
        else json.WriteNull("logprobs"u8);
        WriteTokenIds(json, tokens);
    }

    /// <summary>Four lists that run side by side, an entry a token.</summary>
    private void WriteLogProbs(Utf8JsonWriter json, IReadOnlyList<OutputToken> tokens)
    {
        json.WriteStartObject("logprobs"u8);
        json.WriteStartArray("tokens"u8);
        foreach (var token in tokens) json.WriteStringValue(Texts.Format(token.Token));
        json.WriteEndArray();
        json.WriteStartArray("token_logprobs"u8);
        foreach (var token in tokens)
            if (token.LogProbs is { } scored) json.WriteNumberValue(TokenTexts.Finite(scored.LogProb));
            else json.WriteNullValue();
        json.WriteEndArray();
        json.WriteStartArray("top_logprobs"u8);
        foreach (var token in tokens) WriteTop(json, token);
        json.WriteEndArray();
        json.WriteStartArray("text_offset"u8);
        foreach (var token in tokens) json.WriteNumberValue(token.TextOffset);
        json.WriteEndArray();
        json.WriteEndObject();
    }

    /// <summary>
    /// A map from text to log-probability, the token itself always in it. Of tokens with the same text the map has room for
    /// one: the token itself, else the likeliest.
    /// </summary>
    private void WriteTop(Utf8JsonWriter json, OutputToken token)
    {
        if (token.LogProbs is not { } scored)
        {
            json.WriteNullValue();
            return;
        }
        var own = Texts.Format(scored.Token);
        var written = new HashSet<string> { own };
        json.WriteStartObject();
        json.WriteNumber(own, TokenTexts.Finite(scored.LogProb));
        foreach (var (other, logProb) in scored.Top)
            if (Texts.Format(other) is var text && written.Add(text)) json.WriteNumber(text, TokenTexts.Finite(logProb));
        json.WriteEndObject();
    }
}
