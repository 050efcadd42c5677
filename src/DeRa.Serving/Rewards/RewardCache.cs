using System.Security.Cryptography;
using System.Text;
using System.Text.Json;

namespace DeRa.Serving.Rewards;

/// <summary>
/// Scores of one reward on disk, by content: lines of {"key", "score"} in a folder of its own, of which each process writes one file. Any
/// thread; several processes may share the folder.
/// </summary>
internal sealed class RewardCache
{
    private readonly Lock _gate = new();
    private readonly Dictionary<string, double> _scores = [];
    private readonly string _own;

    /// <param name="folder">Where caches lie; it need not exist.</param>
    /// <param name="reward">What determines the scores beside the completions: the reward's name, and what it asks.</param>
    /// <exception cref="RewardException">The folder cannot be read or made.</exception>
    public RewardCache(string folder, string reward)
    {
        var own = Path.Combine(folder, Hash(reward)[..32]);
        _own = Path.Combine(own, Guid.NewGuid().ToString("N") + ".jsonl");
        try
        {
            Directory.CreateDirectory(own);
            foreach (var line in Directory.EnumerateFiles(own, "*.jsonl").SelectMany(File.ReadLines))
                if (Read(line) is var (key, score)) _scores[key] = score;
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw new RewardException($"rewards: the cache cannot be used: {exception.Message}", exception);
        }
    }

    /// <summary>A completion's score, or null.</summary>
    /// <param name="key">Of <see cref="KeyOf"/>.</param>
    public double? Find(string key)
    {
        lock (_gate) return _scores.TryGetValue(key, out var score) ? score : null;
    }

    /// <summary>Keeps scores.</summary>
    /// <exception cref="IOException">They cannot be written.</exception>
    public void Add(IReadOnlyCollection<(string Key, double Score)> scores)
    {
        lock (_gate)
        {
            foreach (var (key, score) in scores) _scores[key] = score;
            File.AppendAllLines(_own, scores.Select(entry => JsonSerializer.Serialize(new Line(entry.Key, entry.Score))));
        }
    }

    /// <summary>What names a completion: all that a reward sees of it.</summary>
    public static string KeyOf(Completion completion) => Hash(JsonSerializer.Serialize(ScoreLine.Of(completion)));

    private static string Hash(string text) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text)));

    /// <summary>A line, or null: the last may have been cut off by the end of its process.</summary>
    private static (string Key, double Score)? Read(string text)
    {
        try
        {
            return JsonSerializer.Deserialize<Line>(text) is { key: { } key, score: { } score } ? (key, score) : null;
        }
        catch (JsonException)
        {
            return null;
        }
    }

    private sealed record Line(string? key, double? score);
}
