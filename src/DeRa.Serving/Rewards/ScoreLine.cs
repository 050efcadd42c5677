using System.Text.Json;

namespace DeRa.Serving.Rewards;

/// <summary>The messages to and from external scorers.</summary>
internal static class ScoreLine
{
    /// <summary>{"prompt", "completion", "tokens", "finished"} of a completion, and "item" where it has one.</summary>
    public static object Of(Completion completion) => completion.Item is not { } item
        ? new { prompt = completion.Prompt, completion = completion.Text, tokens = completion.Tokens, finished = completion.Finished }
        : new
        {
            prompt = completion.Prompt,
            completion = completion.Text,
            tokens = completion.Tokens,
            finished = completion.Finished,
            item,
        };

    /// <summary>Reads 0.5 or {"score": 0.5}.</summary>
    /// <returns>The score, or null where the line holds no finite number.</returns>
    public static double? Read(string line)
    {
        try
        {
            using var json = JsonDocument.Parse(line);
            var value = json.RootElement;
            if (value.ValueKind == JsonValueKind.Object && value.TryGetProperty("score", out var score)) value = score;
            return Number(value);
        }
        catch (JsonException)
        {
            return null;
        }
    }

    /// <summary>A finite number, or null.</summary>
    public static double? Number(JsonElement value) =>
        value.ValueKind == JsonValueKind.Number && value.TryGetDouble(out var number) && double.IsFinite(number) ? number : null;
}
