using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using DeRa.Engine.Requests;
using DeRa.Protos.V1;

namespace DeRa.Server.Tests.Fuzzing;

/// <summary>A valid request of a trace; its properties are the fields of <c>/v1/completions</c>, most of them a chat's too.</summary>
internal sealed record TraceRequest
{
    [JsonPropertyName("prompt")] public required int[] Prompt { get; init; }

    [JsonPropertyName("alignment_strengths")] public required Dictionary<string, double> Strengths { get; init; }

    [JsonPropertyName("max_tokens")] public required int MaxTokens { get; init; }

    [JsonPropertyName("n")] public required int N { get; init; }

    [JsonPropertyName("seed")] public required long Seed { get; init; }

    [JsonPropertyName("temperature")] public required double Temperature { get; init; }

    [JsonPropertyName("top_k")] public required int TopK { get; init; }

    [JsonPropertyName("top_p")] public required double TopP { get; init; }

    [JsonPropertyName("min_p")] public required double MinP { get; init; }

    [JsonPropertyName("repetition_penalty")] public required double RepetitionPenalty { get; init; }

    [JsonPropertyName("frequency_penalty")] public required double FrequencyPenalty { get; init; }

    [JsonPropertyName("presence_penalty")] public required double PresencePenalty { get; init; }

    [JsonPropertyName("logit_bias")] public required Dictionary<int, double> LogitBias { get; init; }

    [JsonPropertyName("stop")] public required string[] Stop { get; init; }

    [JsonPropertyName("ignore_eos")] public required bool IgnoreEos { get; init; }

    [JsonPropertyName("logprobs")] public required int? LogProbs { get; init; }

    [JsonPropertyName("speculation")] public required bool Speculation { get; init; }

    [JsonPropertyName("echo")] public required bool Echo { get; init; }

    [JsonPropertyName("return_token_ids")] public bool ReturnTokenIds { get; } = true;

    [JsonPropertyName("stream")] public required bool Stream { get; init; }

    /// <summary>What a user says, of a chat; null = a completion. A chat's prompt is what the chat template makes of it.</summary>
    [JsonIgnore] public string? Message { get; init; }

    /// <summary>Whether it goes over gRPC.</summary>
    [JsonIgnore] public bool Grpc { get; init; }

    /// <summary>When it comes, after the trace's begin.</summary>
    [JsonIgnore] public int ArrivalMilliseconds { get; init; }

    /// <summary>After how many pieces its client leaves; of a stream only.</summary>
    [JsonIgnore] public int LeaveAfterPieces { get; init; }

    /// <summary>Its body over HTTP.</summary>
    public string ToJson()
    {
        var body = JsonSerializer.SerializeToNode(this)!.AsObject();
        if (Message is null) return body.ToJsonString();
        foreach (var name in (string[])["prompt", "echo", "logprobs"]) body.Remove(name);
        body["messages"] = new JsonArray(new JsonObject { ["role"] = "user", ["content"] = Message });
        if (LogProbs is { } alternatives) (body["logprobs"], body["top_logprobs"]) = (true, alternatives);
        return body.ToJsonString();
    }

    /// <summary>Any request that is valid.</summary>
    /// <param name="random">The trace's random numbers.</param>
    /// <param name="vocabulary">Tokens from 0 on that prompts are made of.</param>
    /// <param name="aligned">The aligned models.</param>
    public static TraceRequest Next(Random random, int vocabulary, string[] aligned)
    {
        var request = NextCompletion(random, vocabulary, aligned);
        return random.Next(4) > 0 ? request : request with { Message = $"Say {random.Next(100)}", Echo = false };
    }

    private static TraceRequest NextCompletion(Random random, int vocabulary, string[] aligned) => new()
    {
        Prompt = [.. Enumerable.Range(0, random.Next(1, 40)).Select(_ => random.Next(vocabulary))],
        Strengths = aligned.ToDictionary(name => name, _ => NextStrength(random)),
        MaxTokens = random.Next(1, 24),
        N = random.Next(4) == 0 ? random.Next(2, 4) : 1,
        Seed = random.Next(3),
        Temperature = random.Next(4) == 0 ? 0 : 0.3 + random.NextDouble(),
        TopK = random.Next(3) == 0 ? random.Next(1, 50) : 0,
        TopP = random.Next(3) == 0 ? 0.9 : 1,
        MinP = random.Next(4) == 0 ? 0.05 : 0,
        RepetitionPenalty = random.Next(4) == 0 ? 1.25 : 1,
        FrequencyPenalty = random.Next(4) == 0 ? 0.5 : 0,
        PresencePenalty = random.Next(4) == 0 ? 1.5 : 0,
        LogitBias = random.Next(4) == 0 ? new Dictionary<int, double> { [random.Next(vocabulary)] = 3 } : [],
        Stop = random.Next(4) == 0 ? ["" + (char)random.Next('a', 'z'), "th"] : [],
        IgnoreEos = random.Next(2) == 0,
        LogProbs = random.Next(3) == 0 ? random.Next(0, 4) : null,
        Echo = random.Next(4) == 0,
        Stream = random.Next(2) == 0,
        Grpc = random.Next(2) == 0,
        ArrivalMilliseconds = random.Next(60),
        LeaveAfterPieces = random.Next(3) == 0 ? random.Next(0, 12) : int.MaxValue,
        Speculation = random.Next(4) > 0,
    };

    /// <summary>The options over gRPC.</summary>
    public GenerationOptions ToOptions()
    {
        var options = new GenerationOptions
        {
            MaxTokens = MaxTokens,
            N = N,
            Seed = Seed,
            Temperature = Temperature,
            TopK = TopK,
            TopP = TopP,
            MinP = MinP,
            RepetitionPenalty = RepetitionPenalty,
            FrequencyPenalty = FrequencyPenalty,
            PresencePenalty = PresencePenalty,
            LogitBias = { LogitBias },
            Stop = { Stop },
            IgnoreEos = IgnoreEos,
            Echo = Echo,
            Speculation = Speculation,
            AlignmentStrengths = { Strengths },
        };
        if (LogProbs is { } count) options.Logprobs = count;
        return options;
    }

    /// <summary>How its tokens are chosen, for the oracle.</summary>
    public SamplingParameters ToSampling() => new()
    {
        Temperature = (float)Temperature,
        TopK = TopK,
        TopP = (float)TopP,
        MinP = (float)MinP,
        RepetitionPenalty = (float)RepetitionPenalty,
        FrequencyPenalty = (float)FrequencyPenalty,
        PresencePenalty = (float)PresencePenalty,
        LogitBias = LogitBias.ToDictionary(entry => entry.Key, entry => (float)entry.Value),
    };

    private static double NextStrength(Random random) =>
        random.Next(4) switch { 0 => 0, 1 => 1, 2 => random.NextDouble(), _ => random.NextDouble() * 2 - 0.4 };
}
