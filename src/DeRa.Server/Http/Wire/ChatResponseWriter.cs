using System.Text.Json;
using DeRa.Engine.Requests;
using DeRa.Serving.Streaming;

namespace DeRa.Server.Http.Wire;

/// <summary>Writes responses of <c>/v1/chat/completions</c>.</summary>
/// <param name="header">What every object repeats.</param>
/// <param name="options">How the response is wanted.</param>
/// <param name="texts">Formats tokens.</param>
internal sealed class ChatResponseWriter(ResponseHeader header, ResponseOptions options, TokenTexts texts)
    : ResponseWriter(header, options, texts)
{
    /// <inheritdoc/>
    protected override string WholeObject => "chat.completion";

    /// <inheritdoc/>
    protected override string ChunkObject => "chat.completion.chunk";

    /// <summary>A chunk for each choice that says who speaks.</summary>
    public override void WriteStart(EventStream events, int choiceCount, Usage usage)
    {
        for (var i = 0; i < choiceCount; i++)
        {
            var json = OpenChunk(events, i);
            json.WriteStartObject("delta"u8);
            json.WriteString("role"u8, "assistant"u8);
            json.WriteString("content"u8, ""u8);
            json.WriteEndObject();
            json.WriteNull("logprobs"u8);
            CloseChunk(events, json, null, usage, begun: i);
        }
    }

    /// <summary>A chunk for the text, and one more, with an empty delta, for the end.</summary>
    protected override void WriteChunks(EventStream events, ChoiceDelta piece, Usage usage)
    {
        if (HasContent(piece))
        {
            var json = OpenChunk(events, piece.Index);
            json.WriteStartObject("delta"u8);
            json.WriteString("content"u8, piece.Text);
            json.WriteEndObject();
            WriteLogProbs(json, piece.Tokens);
            WriteTokenIds(json, piece.Tokens);
            WriteMeasures(json, piece.Tokens, sums: null);
            CloseChunk(events, json, null, usage);
        }
        if (piece.FinishReason is not null) WriteFinish(events, piece, usage);
    }

    /// <inheritdoc/>
    protected override void WriteChoice(Utf8JsonWriter json, int index, WholeChoice choice)
    {
        json.WriteStartObject();
        WriteIndex(json, index);
        json.WriteStartObject("message"u8);
        json.WriteString("role"u8, "assistant"u8);
        json.WriteString("content"u8, choice.Text);
        json.WriteNull("refusal"u8);
        json.WriteEndObject();
        WriteLogProbs(json, choice.Tokens);
        WriteTokenIds(json, choice.Tokens);
        WriteMeasures(json, choice.Tokens, choice.Measures);
        if (IsSweep) WritePromptLogProbs(json, choice);
        WriteEnd(json, choice.FinishReason, choice.StopString, choice.StopToken);
        WriteRewards(json, choice.Rewards);
        json.WriteEndObject();
    }

    /// <summary>
    /// What is about the prompt is the response's, as in vLLM, not a choice's: all choices of a chat have the same, but for its
    /// log-probabilities at several strengths.
    /// </summary>
    protected override void WriteExtras(Utf8JsonWriter json, IReadOnlyList<WholeChoice> choices)
    {
        if (!IsSweep) WritePromptLogProbs(json, choices[0]);
        WritePromptIds(json, 0);
    }

    private void WriteFinish(EventStream events, ChoiceDelta last, Usage usage)
    {
        var json = OpenChunk(events, last.Index);
        json.WriteStartObject("delta"u8);
        json.WriteEndObject();
        json.WriteNull("logprobs"u8);
        WriteMeasures(json, [], last.Measures);
        CloseChunk(events, json, last, usage);
    }

    private void WriteLogProbs(Utf8JsonWriter json, IReadOnlyList<OutputToken> tokens)
    {
        if (!Options.LogProbs)
        {
            json.WriteNull("logprobs"u8);
            return;
        }
        json.WriteStartObject("logprobs"u8);
        json.WriteStartArray("content"u8);
        foreach (var token in tokens)
            if (token.LogProbs is { } scored) WriteToken(json, scored);
        json.WriteEndArray();
        json.WriteNull("refusal"u8);
        json.WriteEndObject();
    }

    private void WriteToken(Utf8JsonWriter json, TokenLogProbs scored)
    {
        json.WriteStartObject();
        WriteFields(json, scored.Token, scored.LogProb);
        json.WriteStartArray("top_logprobs"u8);
        foreach (var (other, logProb) in scored.Top)
        {
            json.WriteStartObject();
            WriteFields(json, other, logProb);
            json.WriteEndObject();
        }
        json.WriteEndArray();
        json.WriteEndObject();
    }

    private void WriteFields(Utf8JsonWriter json, int token, float logProb)
    {
        json.WriteString("token"u8, Texts.Format(token));
        json.WriteNumber("logprob"u8, TokenTexts.Finite(logProb));
        if (Texts.IsSpecial(token))
        {
            json.WriteNull("bytes"u8);
            return;
        }
        json.WriteStartArray("bytes"u8);
        foreach (var value in Texts.Bytes(token)) json.WriteNumberValue(value);
        json.WriteEndArray();
    }
}
