using DeRa.Engine;
using DeRa.Engine.Requests;
using DeRa.Serving;

namespace DeRa.Benchmarks.Pairs;

/// <summary>Requests of random tokens, and how long they took by the engine's own clock.</summary>
internal static class PairRequests
{
    /// <summary>A strength at which both models run.</summary>
    public const double Strength = .5;

    /// <summary>Random tokens of the pair's vocabulary.</summary>
    public static int[] RandomTokens(this ServedPair pair, Random random, int count)
    {
        var tokens = new int[count];
        foreach (ref var token in tokens.AsSpan()) token = random.Next(pair.Engine.Limits.VocabularySize);
        return tokens;
    }

    /// <summary>A sequence that ends at its token limit only.</summary>
    public static GenerationRequest Request(IReadOnlyList<int> prompt, int maxTokens, string client = "", int choice = 0) => new()
    {
        PromptTokens = prompt,
        Strengths = Strength,
        MaxTokens = maxTokens,
        Seed = 1,
        ChoiceIndex = choice,
        Client = client,
    };

    /// <summary>Reads a sequence to its end.</summary>
    public static async Task ReadAsync(this GenerationHandle sequence, CancellationToken cancellation)
    {
        await foreach (var _ in sequence.Events.ReadAllAsync(cancellation)) { }
    }

    /// <summary>From the submission of a sequence to its first token, which it has.</summary>
    public static double FirstTokenSeconds(this ServedPair pair, GenerationHandle sequence)
    {
        var times = sequence.Timestamps;
        return pair.Engine.Time.GetElapsedTime(times.Submitted, times.FirstToken!.Value).TotalSeconds;
    }
}
