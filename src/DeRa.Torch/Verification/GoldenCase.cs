using System.Runtime.InteropServices;
using System.Text.Json;
using System.Text.Json.Serialization;
using DeRa.Torch.Weights;

namespace DeRa.Torch.Verification;

/// <summary>
/// One case of a golden folder: a prompt, its greedy continuation, and the float64 logits after each of their tokens but the
/// last (<c>golden/golden.json</c>, <c>golden/*.f64</c>: little-endian, row-major).
/// </summary>
internal sealed record GoldenCase
{
    private static readonly JsonSerializerOptions Names = new() { PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower };

    /// <summary>The case's name.</summary>
    public string Name { get; init; } = "published greedy";

    /// <summary>The prompt.</summary>
    public required int[] InputIds { get; init; }

    /// <summary>Its greedy continuation: entry j has the largest logit of row prompt length − 1 + j.</summary>
    public required int[] GreedyIds { get; init; }

    /// <summary>The file of its logits.</summary>
    [JsonPropertyName("logits")]
    public required LogitsFile File { get; init; }

    /// <summary>[rows, vocabulary]: row i scores the token after position i.</summary>
    [JsonIgnore]
    public double[] Logits { get; private set; } = [];

    /// <summary>Columns of <see cref="Logits"/>.</summary>
    [JsonIgnore]
    public int VocabularySize => (int)File.Shape[1];

    /// <summary>Prompt and continuation, as many tokens as there are rows of logits.</summary>
    [JsonIgnore]
    public int[] Tokens => [.. InputIds.Concat(GreedyIds).Take((int)File.Shape[0])];

    /// <summary>A file of numbers.</summary>
    /// <param name="File">Its name, beside golden.json.</param>
    /// <param name="Shape">[rows, columns].</param>
    internal sealed record LogitsFile(string File, long[] Shape);

    /// <summary>Reads the cases of a folder.</summary>
    /// <exception cref="CheckpointException">There is no golden.json, it is broken, or a file of logits does not match it.</exception>
    public static IReadOnlyList<GoldenCase> Load(string folder)
    {
        var path = Path.Combine(folder, "golden", "golden.json");
        if (!System.IO.File.Exists(path)) throw new CheckpointException(path, "no such file; a golden folder has one");
        try
        {
            using var document = JsonDocument.Parse(ModelFile.ReadAllBytes(path));
            var cases = document.RootElement.GetProperty("cases").Deserialize<List<GoldenCase>>(Names)!;
            if (document.RootElement.TryGetProperty("published_greedy", out var published))
                cases.Add(published.Deserialize<GoldenCase>(Names)!);
            foreach (var golden in cases) golden.ReadLogits(Path.Combine(folder, "golden"));
            return cases;
        }
        catch (Exception exception) when (exception is JsonException or KeyNotFoundException or IOException or InvalidOperationException)
        {
            throw new CheckpointException(path, "cannot be read: " + exception.Message, exception);
        }
    }

    private void ReadLogits(string folder)
    {
        var path = Path.Combine(folder, File.File);
        Logits = MemoryMarshal.Cast<byte, double>(ModelFile.ReadAllBytes(path)).ToArray();
        if (Logits.Length != File.Shape[0] * File.Shape[1])
            throw new CheckpointException(path, $"has {Logits.Length} numbers; golden.json says [{string.Join(", ", File.Shape)}]");
    }
}
