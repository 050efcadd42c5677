using System.Text.Json;
using System.Text.Json.Nodes;

namespace DeRa.Cli.Bench.Serve;

/// <summary>Reports as JSON, under the names that vLLM's <c>bench serve</c> gives where it has them. The API key is not in it.</summary>
internal static class ServeJson
{
    private static readonly JsonSerializerOptions s_indented = new() { WriteIndented = true };

    /// <summary>Writes them.</summary>
    public static string Write(ServeTarget target, IReadOnlyList<ServeReport> reports) => new JsonObject
    {
        ["base_url"] = target.Server.ToString(),
        ["endpoint"] = target.Endpoint,
        ["model_id"] = target.Model,
        ["measurements"] = new JsonArray([.. reports.Select(Of)]),
    }.ToJsonString(s_indented);

    private static JsonObject Of(ServeReport report)
    {
        var (options, seconds) = (report.Options, report.Seconds);
        var json = new JsonObject
        {
            ["max_concurrency"] = options.Concurrency,
            ["request_rate"] = options.Rate,
            ["seed"] = options.Rate is null ? null : options.Seed,
            ["num_prompts"] = options.Requests,
            ["seconds"] = options.Seconds,
            ["turns"] = options.Turns,
            ["system_words"] = options.SystemWords,
            ["prompt_words"] = options.PromptWords,
            ["shared_words"] = options.SharedWords,
            ["max_tokens"] = options.MaxTokens,
            ["ignore_eos"] = options.IgnoreEos,
            ["strengths"] = new JsonArray([.. options.Strengths.Select(strength => JsonValue.Create(strength))]),
            ["duration"] = seconds,
            ["completed"] = report.Completed,
            ["failed"] = report.Failed,
            ["failures"] = JsonSerializer.SerializeToNode(report.Failures),
            ["interrupted"] = report.Interrupted,
            ["completed_conversations"] = report.CompletedConversations,
            ["outgrown_conversations"] = report.OutgrownConversations,
            ["total_input_tokens"] = report.PromptTokens,
            ["total_output_tokens"] = report.OutputTokens,
            ["cached_share"] = report.CachedShare,
            ["request_throughput"] = report.Completed / seconds,
            ["request_goodput"] = report.GoodRequests / seconds,
            ["output_throughput"] = report.OutputTokens / seconds,
            ["total_token_throughput"] = (report.OutputTokens + report.PromptTokens) / seconds,
        };
        foreach (var (name, of) in report.Durations)
        {
            json[$"mean_{name}_ms"] = 1e3 * of?.Mean;
            json[$"median_{name}_ms"] = 1e3 * of?.P50;
            json[$"p90_{name}_ms"] = 1e3 * of?.P90;
            json[$"p99_{name}_ms"] = 1e3 * of?.P99;
        }
        return json;
    }
}
