using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace DeRa.Serving.Sweeps;

/// <summary>One completion of a sweep, with its scores: a line of results.jsonl.</summary>
public sealed record SweepRow
{
    private static readonly JsonSerializerOptions s_readable = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>Which prompt, from 0.</summary>
    public required int PromptIndex { get; init; }

    /// <summary>The prompt's text.</summary>
    public required string Prompt { get; init; }

    /// <summary>The strength.</summary>
    public required double Strength { get; init; }

    /// <summary>Which of the completions at this strength, from 0.</summary>
    public required int Sample { get; init; }

    /// <summary>The seed with which a request for as many choices gives the same completions.</summary>
    public required long Seed { get; init; }

    /// <summary>What was written.</summary>
    public required string Completion { get; init; }

    /// <summary>What was answered to the prompt's further turns; null = one did not fit into the context.</summary>
    public IReadOnlyList<string?> FurtherTurns { get; init; } = [];

    /// <summary>Its tokens, without an end token.</summary>
    public required int Tokens { get; init; }

    /// <summary>Whether it ended by itself, not at the limit.</summary>
    public required bool IsFinished { get; init; }

    /// <summary>Sum of KL(mixture ‖ reference) over its places, in nats.</summary>
    public required double Kl { get; init; }

    /// <summary>How likely its tokens are; null in results of before these were written.</summary>
    public SequenceLogProbs? LogProbs { get; init; }

    /// <summary>The rewards' scores, in their order; null = it has none.</summary>
    public required IReadOnlyList<double?> Rewards { get; init; }

    /// <summary>Writes it as a line of JSON.</summary>
    /// <param name="rewards">The rewards' names.</param>
    public string ToJson(IReadOnlyList<string> rewards)
    {
        var json = Json(rewards);
        if (FurtherTurns.Count > 0)
            json.Insert(json.IndexOf("tokens"), "further_turns", new JsonArray([.. FurtherTurns.Select(turn => (JsonNode?)turn)]));
        return json.ToJsonString(s_readable);
    }

    /// <summary>Reads what <see cref="ToJson"/> wrote.</summary>
    /// <exception cref="FormatException">It is something else.</exception>
    public static SweepRow Parse(string line, IReadOnlyList<string> rewards)
    {
        try
        {
            var row = JsonNode.Parse(line)!;
            return new SweepRow
            {
                PromptIndex = (int)row["prompt_index"]!,
                Strength = (double)row["alignment_strength"]!,
                Sample = (int)row["sample"]!,
                Seed = (long)row["seed"]!,
                Prompt = (string)row["prompt"]!,
                Completion = (string)row["completion"]!,
                FurtherTurns = row["further_turns"] is JsonArray turns ? [.. turns.Select(turn => (string?)turn)] : [],
                Tokens = (int)row["tokens"]!,
                IsFinished = (string?)row["finish_reason"] == "stop",
                Kl = (double)row["kl_to_reference"]!,
                LogProbs = (double?)row["logprob"] is { } mixture
                    ? new SequenceLogProbs(mixture, (double)row["logprob_reference"]!, (double)row["logprob_aligned"]!) : null,
                Rewards = [.. rewards.Select(name => (double?)row["rewards"]![name])],
            };
        }
        catch (Exception wrong) when (wrong is JsonException or InvalidOperationException or NullReferenceException)
        {
            throw new FormatException($"'{(line.Length > 80 ? line[..80] : line)}' is no line of a sweep's results", wrong);
        }
    }

    private JsonObject Json(IReadOnlyList<string> rewards) => new()
    {
        ["prompt_index"] = PromptIndex,
        ["alignment_strength"] = Strength,
        ["sample"] = Sample,
        ["seed"] = Seed,
        ["prompt"] = Prompt,
        ["completion"] = Completion,
        ["tokens"] = Tokens,
        ["finish_reason"] = IsFinished ? "stop" : "length",
        ["kl_to_reference"] = Kl,
        ["logprob"] = LogProbs?.Mixture,
        ["logprob_reference"] = LogProbs?.Reference,
        ["logprob_aligned"] = LogProbs?.Aligned,
        ["rewards"] = new JsonObject(rewards.Zip(Rewards, (name, score) => KeyValuePair.Create(name, (JsonNode?)score))),
    };
}
