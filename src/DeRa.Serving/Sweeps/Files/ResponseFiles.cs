using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace DeRa.Serving.Sweeps.Files;

/// <summary>
/// Answers in the forms that judges of MT-Bench and AlpacaEval read, one file a strength, for prompts that came in those forms. Equal rows
/// give equal texts.
/// </summary>
public static class ResponseFiles
{
    private const int IdLength = 22;

    private static readonly JsonSerializerOptions s_line = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };
    private static readonly JsonSerializerOptions s_indented = new(s_line) { WriteIndented = true };

    /// <summary>Writes them.</summary>
    /// <param name="rows">The rows; of a prompt at a strength all samples.</param>
    /// <param name="prompts">All prompts.</param>
    /// <param name="pair">The pair's name; a strength makes a model's of it, such as <c>pair@0.5</c>.</param>
    /// <returns>Names, with their folder, and texts; none where no prompt came in such a form.</returns>
    public static IEnumerable<(string Name, string Text)> Of(
        IReadOnlyList<SweepRow> rows, IReadOnlyList<SweepPrompt> prompts, string pair)
    {
        foreach (var own in rows.GroupBy(row => row.Strength).OrderBy(group => group.Key))
        {
            var model = string.Create(CultureInfo.InvariantCulture, $"{pair}@{own.Key:R}");
            var file = model.Replace('/', '_');
            var answers = own.GroupBy(row => row.PromptIndex).OrderBy(group => group.Key).ToList();
            var turns = answers.Where(answer => prompts[answer.Key].Form == PromptForm.MtBench).ToList();
            if (turns.Count > 0)
                yield return ($"model_answer/{file}.jsonl", string.Concat(turns.Select(answer =>
                    MtBench(prompts[answer.Key], [.. answer], model).ToJsonString(s_line) + "\n")));
            var outputs = answers.Where(answer => prompts[answer.Key].Form == PromptForm.AlpacaEval).ToList();
            if (outputs.Count > 0)
                yield return ($"alpaca_eval/{file}.json", new JsonArray([.. outputs.Select(answer =>
                    AlpacaEval(prompts[answer.Key], answer.First(row => row.Sample == 0), model))]).ToJsonString(s_indented) + "\n");
        }
    }

    private static JsonObject MtBench(SweepPrompt prompt, IReadOnlyList<SweepRow> samples, string model)
    {
        var answer = new JsonObject
        {
            ["question_id"] = Field(prompt, "question_id") ?? samples[0].PromptIndex,
            ["model_id"] = model,
            ["choices"] = new JsonArray([.. samples.OrderBy(row => row.Sample).Select(row => new JsonObject
            {
                ["index"] = row.Sample,
                ["turns"] = new JsonArray([row.Completion, .. row.FurtherTurns.Select(turn => (JsonNode)(turn ?? ""))]),
            })]),
            // When it was answered is in no row: it would be another time after an interruption.
            ["tstamp"] = 0.0,
        };
        var hash = SHA256.HashData(Encoding.UTF8.GetBytes(answer.ToJsonString(s_line)));
        answer.Insert(1, "answer_id", Convert.ToHexStringLower(hash)[..IdLength]);
        return answer;
    }

    private static JsonObject AlpacaEval(SweepPrompt prompt, SweepRow row, string model)
    {
        var answer = new JsonObject
        {
            ["instruction"] = Field(prompt, "instruction"),
            ["output"] = row.Completion,
            ["generator"] = model,
        };
        if (Field(prompt, "dataset") is { } dataset) answer.Insert(0, "dataset", dataset);
        return answer;
    }

    private static JsonNode? Field(SweepPrompt prompt, string name) =>
        prompt.Item is { ValueKind: JsonValueKind.Object } item && item.TryGetProperty(name, out var value)
            ? JsonNode.Parse(value.GetRawText()) : null;
}
