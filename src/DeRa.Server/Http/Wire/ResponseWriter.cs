using System.Globalization;
using System.Text.Json;
using DeRa.Engine.Requests;
using DeRa.Server.Responses;
using DeRa.Serving.Streaming;

namespace DeRa.Server.Http.Wire;

/// <summary>Writes a response's JSON, whole or in chunks. The parts that both endpoints share are here.</summary>
/// <param name="header">What every object repeats.</param>
/// <param name="options">How the response is wanted.</param>
/// <param name="texts">Formats tokens.</param>
internal abstract class ResponseWriter(ResponseHeader header, ResponseOptions options, TokenTexts texts)
{
    private readonly MeasuresWriter _measures = new(header.Aligned, header.Beta, texts);
    private readonly Dictionary<int, EffectiveStrengths> _strengths = []; // of choices of a stream that have their own

    /// <summary>By which the generation is found while it is streamed; the next chunk tells it.</summary>
    public string? GenerationId { private get; set; }

    /// <summary>Writes the response in one object.</summary>
    public void WriteWhole(Utf8JsonWriter json, IReadOnlyList<WholeChoice> choices, Usage usage)
    {
        Open(json, WholeObject);
        for (var i = 0; i < choices.Count; i++) WriteChoice(json, i, choices[i]);
        json.WriteEndArray();
        WriteExtras(json, choices);
        WriteUsage(json, usage);
        json.WriteEndObject();
    }

    /// <summary>Writes the chunks that come before any text.</summary>
    public virtual void WriteStart(EventStream events, int choiceCount, Usage usage)
    {
    }

    /// <summary>Writes the chunks of one piece; none where it has nothing that was asked for.</summary>
    public void WritePiece(EventStream events, ChoiceDelta piece, Usage usage)
    {
        if (piece.Strengths is { } changed) _strengths[piece.Index] = new EffectiveStrengths(changed, header.Aligned);
        WriteChunks(events, piece, usage);
    }

    /// <inheritdoc cref="WritePiece"/>
    protected abstract void WriteChunks(EventStream events, ChoiceDelta piece, Usage usage);

    /// <summary>Writes the last chunk, where it was asked for.</summary>
    public void WriteEnd(EventStream events, Usage usage)
    {
        if (!Options.IncludeUsage) return;
        var json = events.Begin();
        Open(json, ChunkObject);
        json.WriteEndArray();
        WriteUsage(json, usage);
        json.WriteEndObject();
        events.End();
    }

    /// <summary><c>object</c> of a whole response.</summary>
    protected abstract string WholeObject { get; }

    /// <summary><c>object</c> of a chunk.</summary>
    protected abstract string ChunkObject { get; }

    /// <summary>Whether each choice has a strength of its own.</summary>
    protected bool IsSweep => header.Strengths is null;

    /// <summary>How the response is wanted.</summary>
    protected ResponseOptions Options { get; } = options;

    /// <summary>Formats tokens.</summary>
    protected TokenTexts Texts { get; } = texts;

    /// <summary>Writes one entry of <c>choices</c> of a whole response.</summary>
    protected abstract void WriteChoice(Utf8JsonWriter json, int index, WholeChoice choice);

    /// <summary>Writes what else a whole response has beside its choices.</summary>
    protected virtual void WriteExtras(Utf8JsonWriter json, IReadOnlyList<WholeChoice> choices)
    {
    }

    /// <summary>
    /// Writes a prompt's log-probabilities as vLLM does: null for the first token, then for each token a map from id to
    /// log-probability, rank and text, the token itself always in it.
    /// </summary>
    protected void WritePromptLogProbs(Utf8JsonWriter json, WholeChoice choice)
    {
        if (Options.PromptLogProbs is not { } alternatives) return;
        json.WriteStartArray("prompt_logprobs"u8);
        json.WriteNullValue();
        foreach (var scored in choice.PromptScores ?? [])
        {
            json.WriteStartObject();
            WriteRanked(json, scored.Token, scored.LogProb, scored.Rank ?? 0);
            for (var i = 0; i < Math.Min(alternatives, scored.Top.Count); i++)
                if (scored.Top[i] is var (other, logProb) && other != scored.Token) WriteRanked(json, other, logProb, i + 1);
            json.WriteEndObject();
        }
        json.WriteEndArray();
    }

    private void WriteRanked(Utf8JsonWriter json, int token, float logProb, int rank)
    {
        json.WriteStartObject(token.ToString(CultureInfo.InvariantCulture));
        json.WriteNumber("logprob"u8, TokenTexts.Finite(logProb));
        json.WriteNumber("rank"u8, rank);
        json.WriteString("decoded_token"u8, Texts.Text(token));
        json.WriteEndObject();
    }

    /// <summary>Begins a chunk and its one choice.</summary>
    protected Utf8JsonWriter OpenChunk(EventStream events, int index)
    {
        if (header.Schedule is not null) _strengths.TryAdd(index, header.Strengths!);
        var json = events.Begin();
        Open(json, ChunkObject);
        json.WriteStartObject();
        WriteIndex(json, index);
        return json;
    }

    /// <summary>Writes which choice this is, and where it has strengths of its own which.</summary>
    protected void WriteIndex(Utf8JsonWriter json, int index)
    {
        json.WriteNumber("index"u8, index);
        if (_strengths.TryGetValue(index, out var own)) own.WriteTo(json);
        else if (header.SweptStrength(index) is { } strength) json.WriteNumber("alignment_strength"u8, strength);
    }

    /// <summary>Ends a chunk and its one choice.</summary>
    /// <param name="events">The stream.</param>
    /// <param name="json">The chunk.</param>
    /// <param name="last">The piece with which the choice ends; null = it goes on.</param>
    /// <param name="usage">What was taken so far.</param>
    /// <param name="begun">The choice that begins with this chunk, where its prompt belongs beside the choices; null = none.</param>
    protected void CloseChunk(EventStream events, Utf8JsonWriter json, ChoiceDelta? last, Usage usage, int? begun = null)
    {
        if (last?.FinishReason is { } reason) WriteEnd(json, reason, last.StopString, last.StopToken);
        else json.WriteNull("finish_reason"u8);
        WriteRewards(json, last?.Rewards);
        json.WriteEndObject();
        json.WriteEndArray();
        if (begun is { } index) WritePromptIds(json, index);
        if (Options.ContinuousUsage) WriteUsage(json, usage);
        else if (Options.IncludeUsage) json.WriteNull("usage"u8);
        json.WriteEndObject();
        events.End();
    }

    /// <summary>Writes why a choice has ended, and as vLLM does which of the request's stop texts or tokens it was.</summary>
    protected static void WriteEnd(Utf8JsonWriter json, FinishReason reason, string? stopString, int? stopToken)
    {
        json.WriteString("finish_reason"u8, FinishReasons.Format(reason));
        if (stopString is not null) json.WriteString("stop_reason"u8, stopString);
        else if (stopToken is { } token) json.WriteNumber("stop_reason"u8, token);
        else json.WriteNull("stop_reason"u8);
    }

    /// <summary>Writes what rewards score a choice, where they were asked for.</summary>
    protected static void WriteRewards(Utf8JsonWriter json, IReadOnlyList<(string Name, double? Score)>? rewards)
    {
        if (rewards is null) return;
        json.WriteStartObject("rewards"u8);
        foreach (var (name, score) in rewards)
            if (score is { } number) json.WriteNumber(name, number);
            else json.WriteNull(name);
        json.WriteEndObject();
    }

    /// <summary>Writes the measures of tokens and, at a choice's end, their sums, where they were asked for.</summary>
    protected void WriteMeasures(Utf8JsonWriter json, IReadOnlyList<OutputToken> tokens, ChoiceMeasures? sums)
    {
        if (Options.Measures) _measures.Write(json, tokens, sums);
    }

    /// <summary>Writes the ids of the generated tokens, where they were asked for.</summary>
    protected void WriteTokenIds(Utf8JsonWriter json, IReadOnlyList<OutputToken> tokens)
    {
        if (!Options.TokenIds) return;
        json.WriteStartArray("token_ids"u8);
        foreach (var token in tokens)
            if (!token.IsPrompt) json.WriteNumberValue(token.Token);
        json.WriteEndArray();
    }

    /// <summary>Writes the ids of a choice's prompt, where they were asked for.</summary>
    protected void WritePromptIds(Utf8JsonWriter json, int index)
    {
        if (!Options.TokenIds) return;
        json.WriteStartArray("prompt_token_ids"u8);
        foreach (var token in header.Prompts[index]) json.WriteNumberValue(token);
        json.WriteEndArray();
    }

    /// <summary>Whether a piece holds anything that was asked for.</summary>
    protected bool HasContent(ChoiceDelta piece) =>
        piece.Text.Length > 0 || (piece.Tokens.Count > 0 && (Options.LogProbs || Options.TokenIds || Options.Measures));

    private void Open(Utf8JsonWriter json, string kind)
    {
        json.WriteStartObject();
        json.WriteString("id"u8, header.Id);
        json.WriteString("object"u8, kind);
        json.WriteNumber("created"u8, header.Created);
        json.WriteString("model"u8, header.Model);
        if (GenerationId is { } generation) json.WriteString("generation_id"u8, generation);
        GenerationId = null;
        if (header.Schedule is { } schedule)
        {
            json.WritePropertyName("alignment_schedule"u8);
            ScheduleText.WriteTo(json, schedule);
        }
        else header.Strengths?.WriteTo(json);
        json.WriteNumber("seed"u8, header.Seed);
        json.WriteStartArray("choices"u8);
    }

    private static void WriteUsage(Utf8JsonWriter json, Usage usage)
    {
        json.WriteStartObject("usage"u8);
        json.WriteNumber("prompt_tokens"u8, usage.PromptTokens);
        json.WriteNumber("completion_tokens"u8, usage.CompletionTokens);
        json.WriteNumber("total_tokens"u8, usage.PromptTokens + usage.CompletionTokens);
        json.WriteStartObject("prompt_tokens_details"u8);
        json.WriteNumber("cached_tokens"u8, usage.CachedTokens);
        json.WriteEndObject();
        json.WriteEndObject();
    }
}
