using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using DeRa.Serving.Statistics;
using DeRa.Serving.Sweeps.Summaries;

namespace DeRa.Cli.Compare;

/// <summary>A comparison as JSON.</summary>
internal static class ComparisonJson
{
    private static readonly JsonSerializerOptions s_indented = new()
    {
        WriteIndented = true,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

    /// <summary>Writes it.</summary>
    public static string Of(Comparison comparison) => new JsonObject
    {
        ["prompts"] = comparison.Results.PromptCount,
        ["samples"] = comparison.Settings.Samples,
        ["max_tokens"] = comparison.Settings.MaxTokens,
        ["temperature"] = comparison.Settings.Temperature,
        ["top_p"] = comparison.Settings.TopP,
        ["seed"] = comparison.Settings.Seed,
        ["first"] = Side(comparison.Figures[0], comparison.First),
        ["second"] = Side(comparison.Figures[1], comparison.Second),
        ["rewards"] = new JsonObject(comparison.Rewards.Select(reward => KeyValuePair.Create(reward.Name, (JsonNode?)Json(reward)))),
    }.ToJsonString(s_indented);

    private static JsonObject Side(StrengthFigures figures, IReadOnlyList<KeyValuePair<string, string>> about) => new()
    {
        ["alignment_strength"] = figures.Strength,
        ["kl_to_reference"] = Json(figures.Kl),
        ["tokens"] = figures.Tokens,
        ["finished"] = figures.Finished,
        ["models"] = new JsonObject(about.Select(one => KeyValuePair.Create(one.Key, (JsonNode?)one.Value))),
    };

    private static JsonObject Json(PairedComparison reward) => new()
    {
        ["first"] = Json(reward.First),
        ["second"] = Json(reward.Second),
        ["second_above_first"] = Json(reward.Difference),
        ["p"] = reward.PValue,
        ["second_wins"] = Json(reward.Wins),
        ["prompts"] = reward.Prompts,
        ["without_score"] = reward.Failed,
    };

    /// <summary>What is no number is null.</summary>
    private static JsonObject? Json(Interval interval) => double.IsNaN(interval.Estimate) ? null
        : new() { ["mean"] = interval.Estimate, ["low"] = interval.Low, ["high"] = interval.High };
}
