using System.Runtime.InteropServices;
using System.Text.Json;
using System.Text.Json.Serialization;
using DeRa.Testing;

namespace DeRa.Torch.Tests.Execution;

/// <summary>The mixed results of the golden pair (see the golden README).</summary>
/// <param name="Prompts">By name.</param>
/// <param name="Cases">Greedy continuations of a prompt at a strength.</param>
/// <param name="Scores">Scores of given continuations.</param>
internal sealed record GoldenMix(Dictionary<string, GoldenMix.Prompt> Prompts, List<GoldenMix.Case> Cases, List<GoldenMix.Score> Scores)
{
    private static readonly JsonSerializerOptions Names = new() { PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower };

    public sealed record Prompt(int[] InputIds);

    public sealed record Numbers(string File);

    public sealed record Case(string Prompt, [property: JsonPropertyName("lambda")] double Strength, int[] GreedyIds, Numbers MixedLogprobs)
    {
        /// <summary>The folder that it comes from.</summary>
        [JsonIgnore]
        public string Folder { get; init; } = "";

        /// <summary>Log-probabilities of the greedy ids under the reference.</summary>
        public double[] GreedyLogpSft { get; init; } = [];

        /// <summary>The same under the aligned model.</summary>
        public double[] GreedyLogpAligned { get; init; } = [];

        /// <summary>The same in the mixture.</summary>
        public double[] GreedyLogpMixed { get; init; } = [];

        /// <summary>log Σ_v π_sft(v)^(1 − λ) π_aligned(v)^λ at each of their places.</summary>
        public double[] LogZ { get; init; } = [];

        /// <summary>KL(mixture ‖ reference) there.</summary>
        public double[] KlMixedSft { get; init; } = [];

        /// <summary>[greedy ids, vocabulary].</summary>
        public double[] LogProbs() =>
            MemoryMarshal.Cast<byte, double>(File.ReadAllBytes(Path.Combine(Folder, MixedLogprobs.File))).ToArray();
    }

    public sealed record Score(string Prompt, [property: JsonPropertyName("lambda")] double Strength, int[] ContinuationIds,
        double[] LogpMixed);

    /// <summary>The mixtures of the golden pair.</summary>
    public static GoldenMix Load() => Load(GoldenData.Committed("pair/mix-sft-aligned"));

    /// <summary>The mixtures that a folder holds.</summary>
    public static GoldenMix Load(string folder)
    {
        var mix = JsonSerializer.Deserialize<GoldenMix>(File.ReadAllText(Path.Combine(folder, "mix.json")), Names)!;
        return mix with { Cases = [.. mix.Cases.Select(golden => golden with { Folder = folder })] };
    }

    /// <summary>Absolute, for a server that computes in float32.</summary>
    public static double Tolerance(double strength) => 1e-4 * (Math.Abs(strength) + Math.Abs(1 - strength));
}
