using System.Text.Json;
using System.Text.Json.Nodes;
using DeRa.Client.Alignment;

namespace DeRa.Client.Http;

/// <summary>Makes requests to <c>realignment/score</c> and reads their responses.</summary>
internal static class ScoreBody
{
    /// <summary>A request.</summary>
    public static JsonObject Of(IEnumerable<ScoreItem> items, IEnumerable<double> strengths, ScoreOptions? options)
    {
        var body = new JsonObject
        {
            ["items"] = new JsonArray([.. items.Select(Item)]),
            [FieldNames.Sweep] = Numbers(strengths),
        };
        if (options?.Model is { } model) body["model"] = model;
        if (options?.PerToken == true) body["per_token"] = true;
        if (options?.CacheSalt is { } salt) body["cache_salt"] = salt;
        return body;
    }

    /// <summary>A response.</summary>
    public static IReadOnlyList<ItemScores> Read(JsonElement json, IReadOnlyList<double> strengths) =>
        [.. json.List("items").Select(item => Item(item, strengths))];

    private static JsonObject Item(ScoreItem item) => item.Conversation is { } conversation
        ? new JsonObject { ["messages"] = ChatBody.Messages(conversation) }
        : new JsonObject
        {
            ["prompt"] = item.PromptTokens is { } prompt ? Numbers(prompt) : item.PromptText,
            ["continuation"] = item.ContinuationTokens is { } continuation ? Numbers(continuation) : item.ContinuationText,
        };

    private static JsonArray Numbers<T>(IEnumerable<T> numbers) => new([.. numbers.Select(number => JsonValue.Create(number))]);

    private static ItemScores Item(JsonElement item, IReadOnlyList<double> strengths)
    {
        var byName = item.Numbers("logprobs_aligned") ?? new Dictionary<string, double>();
        return new ItemScores
        {
            TokenCount = item.GetProperty("tokens").GetInt32(),
            LogProbReference = item.Finite("logprob_reference"),
            LogProbAligned = item.Number("logprob_aligned") ?? byName.Values.First(),
            LogProbsAligned = byName,
            Scores = [.. item.List("scores").Select((score, i) => Score(score, strengths[i]))],
            TokenIds = [.. item.List("token_ids").Select(token => token.GetInt32())],
        };
    }

    private static StrengthScore Score(JsonElement score, double strength) => new(strength, score.Finite("logprob"),
        score.Number("perplexity") ?? double.PositiveInfinity, score.Finite("kl_to_reference"),
        [.. score.List("token_logprobs").Select(one => one.GetDouble())]);
}
