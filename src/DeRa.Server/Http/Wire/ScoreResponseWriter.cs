using System.Text.Json;
using DeRa.Server.Responses;
using DeRa.Serving.Scoring;

namespace DeRa.Server.Http.Wire;

/// <summary>Writes the response of <c>POST /v1/realignment/score</c>.</summary>
/// <param name="prepared">What was asked for.</param>
/// <param name="aligned">The aligned models' names.</param>
/// <param name="perToken">Whether each token is told.</param>
internal sealed class ScoreResponseWriter(PreparedScores prepared, IReadOnlyList<string> aligned, bool perToken)
{
    private readonly EffectiveStrengths[] _strengths = [.. prepared.Strengths.Select(one => new EffectiveStrengths(one, aligned))];

    /// <summary>Writes the body.</summary>
    /// <param name="json">Where to.</param>
    /// <param name="items">One an item.</param>
    public void Write(Utf8JsonWriter json, IReadOnlyList<ItemScores> items)
    {
        json.WriteStartObject();
        json.WriteString("object"u8, "realignment.scores"u8);
        json.WriteString("model"u8, prepared.Model);
        json.WriteStartArray("items"u8);
        for (var i = 0; i < items.Count; i++) WriteItem(json, i, items[i]);
        json.WriteEndArray();
        json.WriteStartObject("usage"u8);
        json.WriteNumber("prompt_tokens"u8, prepared.TokenCount);
        json.WriteNumber("total_tokens"u8, prepared.TokenCount);
        json.WriteEndObject();
        json.WriteEndObject();
    }

    private void WriteItem(Utf8JsonWriter json, int index, ItemScores item)
    {
        json.WriteStartObject();
        json.WriteNumber("index"u8, index);
        json.WriteNumber("tokens"u8, item.Tokens.Count);
        if (perToken)
        {
            json.WriteStartArray("token_ids"u8);
            foreach (var token in item.Tokens) json.WriteNumberValue(token.Token);
            json.WriteEndArray();
        }
        json.WriteNumber("logprob_reference"u8, item.LogProbOfModel(0));
        WriteAligned(json, item);
        json.WriteStartArray("scores"u8);
        for (var i = 0; i < _strengths.Length; i++) WriteScore(json, i, item);
        json.WriteEndArray();
        json.WriteEndObject();
    }

    private void WriteAligned(Utf8JsonWriter json, ItemScores item)
    {
        if (aligned.Count == 1)
        {
            json.WriteNumber("logprob_aligned"u8, item.LogProbOfModel(1));
            return;
        }
        json.WriteStartObject("logprobs_aligned"u8);
        for (var i = 0; i < aligned.Count; i++) json.WriteNumber(aligned[i], item.LogProbOfModel(i + 1));
        json.WriteEndObject();
    }

    private void WriteScore(Utf8JsonWriter json, int strength, ItemScores item)
    {
        json.WriteStartObject();
        _strengths[strength].WriteTo(json);
        json.WriteNumber("logprob"u8, item.LogProb(strength));
        json.WriteNumber("tokens"u8, item.Tokens.Count);
        if (item.Perplexity(strength) is var perplexity && double.IsFinite(perplexity)) json.WriteNumber("perplexity"u8, perplexity);
        else json.WriteNull("perplexity"u8);
        json.WriteNumber("kl_to_reference"u8, item.KlToReference(strength));
        if (perToken)
        {
            json.WriteStartArray("token_logprobs"u8);
            foreach (var token in item.Tokens) json.WriteNumberValue(token.LogProbs[strength]);
            json.WriteEndArray();
        }
        json.WriteEndObject();
    }
}
