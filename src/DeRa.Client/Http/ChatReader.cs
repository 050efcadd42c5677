using System.Text.Json;
using DeRa.Client.Alignment;
using Microsoft.Extensions.AI;

namespace DeRa.Client.Http;

/// <summary>Reads the responses of <c>chat/completions</c>; one reader for each response.</summary>
internal sealed class ChatReader
{
    private string? _generationId;

    /// <summary>A whole response.</summary>
    public static ChatResponse Whole(JsonElement json)
    {
        var choices = json.List("choices").Select(Choice).ToList();
        var (id, created) = (json.Text("id"), Created(json));
        var response = new ChatResponse([.. choices.Select(choice =>
            new ChatMessage(ChatRole.Assistant, choice.Text) { MessageId = MessageId(id, choice.Index), CreatedAt = created })])
        {
            ResponseId = id,
            ModelId = json.Text("model"),
            CreatedAt = created,
            FinishReason = choices[0].FinishReason,
            Usage = Usage(json),
            RawRepresentation = json,
            AdditionalProperties = About(json),
        };
        response.AdditionalProperties[FieldNames.Choices] = (IReadOnlyList<AlignedChoice>)choices;
        return response;
    }

    /// <summary>A chunk of a stream; it has one choice, or none and the usage.</summary>
    public ChatResponseUpdate Chunk(JsonElement json)
    {
        _generationId = json.Text("generation_id") ?? _generationId;
        var (id, about) = (json.Text("id"), About(json));
        about.With(FieldNames.GenerationId, _generationId);
        var update = new ChatResponseUpdate
        {
            Role = ChatRole.Assistant,
            ResponseId = id,
            ModelId = json.Text("model"),
            CreatedAt = Created(json),
            RawRepresentation = json,
            AdditionalProperties = about,
        };
        foreach (var choice in json.List("choices")) Add(choice, update, id);
        if (Usage(json) is { } usage) update.Contents.Add(new UsageContent(usage));
        return update;
    }

    private static void Add(JsonElement choice, ChatResponseUpdate update, string? id)
    {
        var (index, about) = (choice.GetProperty("index").GetInt32(), update.AdditionalProperties!);
        update.MessageId = MessageId(id, index);
        if (choice.Find("delta") is { } delta && delta.Text("content") is { Length: > 0 } text) update.Contents.Add(new TextContent(text));
        update.FinishReason = FinishReason(choice);
        about[FieldNames.Index] = index;
        about.With(FieldNames.Measures, MeasuresReader.Read(choice));
        about.With(FieldNames.Rewards, Rewards(choice));
        // Strengths of its own outweigh those of all.
        var (strength, strengths) = (choice.Number(FieldNames.Strength), choice.Numbers(FieldNames.Strengths));
        if (strength is null && strengths is null) return;
        about.With(FieldNames.Strength, strength);
        about.With(FieldNames.Strengths, strengths);
    }

    private static AlignedChoice Choice(JsonElement choice) => new()
    {
        Index = choice.GetProperty("index").GetInt32(),
        Text = choice.GetProperty("message").Text("content") ?? "",
        FinishReason = FinishReason(choice),
        AlignmentStrength = choice.Number(FieldNames.Strength),
        Measures = MeasuresReader.Read(choice),
        Rewards = Rewards(choice) ?? [],
    };

    private static AdditionalPropertiesDictionary About(JsonElement json)
    {
        var about = new AdditionalPropertiesDictionary();
        about.With(FieldNames.Seed, json.Find(FieldNames.Seed)?.GetInt64());
        about.With(FieldNames.Strength, json.Number(FieldNames.Strength));
        about.With(FieldNames.Strengths, json.Numbers(FieldNames.Strengths));
        return about;
    }

    private static Dictionary<string, double?>? Rewards(JsonElement choice) =>
        choice.Find(FieldNames.Rewards)?.EnumerateObject().ToDictionary(
            entry => entry.Name, entry => entry.Value.ValueKind == JsonValueKind.Number ? entry.Value.GetDouble() : (double?)null);

    private static ChatFinishReason? FinishReason(JsonElement choice) =>
        choice.Text("finish_reason") is { } reason ? new ChatFinishReason(reason) : null;

    private static UsageDetails? Usage(JsonElement json) => json.Find("usage") is not { } usage ? null : new UsageDetails
    {
        InputTokenCount = usage.GetProperty("prompt_tokens").GetInt64(),
        OutputTokenCount = usage.GetProperty("completion_tokens").GetInt64(),
        TotalTokenCount = usage.GetProperty("total_tokens").GetInt64(),
        CachedInputTokenCount = usage.Find("prompt_tokens_details")?.Find("cached_tokens")?.GetInt64(),
    };

    private static DateTimeOffset? Created(JsonElement json) =>
        json.Find("created") is { } created ? DateTimeOffset.FromUnixTimeSeconds(created.GetInt64()) : null;

    /// <summary>Choices are messages of their own when a stream's updates are put together.</summary>
    private static string MessageId(string? id, int index) => index == 0 ? id ?? "" : $"{id}-{index}";
}
