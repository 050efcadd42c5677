using System.Text.Json;

namespace DeRa.Lab.Rewards;

/// <summary>The messages to and from external scorers.</summary>
internal static class ScoreLine
{
    /// <summary>{"prompt", "completion", "tokens", "finished"} of a completion.</summary>
    public static object Of(Completion completion) => new
    {
        prompt = completion.Prompt,
        completion = completion.Text,
        tokens = completion.Tokens,
        finished = completion.Finished,
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
            return value.ValueKind == JsonValueKind.Number && double.IsFinite(value.GetDouble()) ? value.GetDouble() : null;
        }
        catch (JsonException)
        {
            return null;
        }
    }
}
