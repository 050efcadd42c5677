using System.Runtime.InteropServices;
using System.Text.Json;
using System.Text.Json.Serialization;
using DeRa.Testing;

namespace DeRa.Torch.Tests.Execution;

/// <summary>The mixed results of the golden pair (see the golden README).</summary>
internal sealed record GoldenMix(Dictionary<string, GoldenMix.Prompt> Prompts, List<GoldenMix.Case> Cases, List<GoldenMix.Score> Scores)
{
    private const string Folder = "pair/mix-sft-aligned";
    private static readonly JsonSerializerOptions Names = new() { PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower };

    public sealed record Prompt(int[] InputIds);

    public sealed record Numbers(string File);

    public sealed record Case(string Prompt, [property: JsonPropertyName("lambda")] double Strength, int[] GreedyIds, Numbers MixedLogprobs)
    {
        /// <summary>[greedy ids, vocabulary].</summary>
        public double[] LogProbs() =>
            MemoryMarshal.Cast<byte, double>(File.ReadAllBytes(GoldenData.Committed($"{Folder}/{MixedLogprobs.File}"))).ToArray();
    }

    public sealed record Score(string Prompt, [property: JsonPropertyName("lambda")] double Strength, int[] ContinuationIds, double[] LogpMixed);

    public static GoldenMix Load() =>
        JsonSerializer.Deserialize<GoldenMix>(File.ReadAllText(GoldenData.Committed(Folder + "/mix.json")), Names)!;

    /// <summary>Absolute, for a server that computes in float32.</summary>
    public static double Tolerance(double strength) => 1e-4 * (Math.Abs(strength) + Math.Abs(1 - strength));
}
