using DeRa.Torch.Configuration;
using DeRa.Torch.Layouts;
using DeRa.Torch.Weights;

namespace DeRa.Torch.Families;

/// <summary>What a model folder's configuration and weights say, without the weights being read and without libtorch.</summary>
public sealed record CheckpointInspection
{
    /// <summary>The model folder.</summary>
    public required string Folder { get; init; }

    /// <summary>The configuration; null where it cannot be used.</summary>
    public ModelConfig? Config { get; private init; }

    /// <summary>
    /// Whether the configuration ties the output layer to the embedding but another one is stored, which is used:
    /// <see cref="Config"/> says so.
    /// </summary>
    public bool HasUntiedOutput { get; private init; }

    /// <summary>Elements of all tensors that the configuration asks for; 0 where it cannot be used.</summary>
    public long ParameterCount { get; private init; }

    /// <summary>Elements of the stored weights by element type, such as bfloat16; null where none could be opened.</summary>
    public IReadOnlyDictionary<string, long>? StoredElements { get; private init; }

    /// <summary>Why the configuration cannot be used, as loading the model would say; null where it can.</summary>
    public string? ConfigProblem { get; private init; }

    /// <summary>Why the weights cannot be used, as loading the model would say; null where they can or are not needed.</summary>
    public string? WeightsProblem { get; private init; }

    /// <summary>Bytes of the weights in memory.</summary>
    /// <param name="elementBytes">Bytes of an element.</param>
    public long WeightBytes(int elementBytes) => ParameterCount * elementBytes;

    /// <summary>Bytes that one token takes in the cache.</summary>
    /// <param name="elementBytes">Bytes of an element.</param>
    public long CacheBytesPerToken(int elementBytes) => Config?.CacheBytesPerToken(elementBytes) ?? 0;

    /// <summary>
    /// Reads the configuration and the headers of the weights, and an output layer where the configuration does without. What is
    /// wrong becomes a problem and is not thrown.
    /// </summary>
    /// <param name="folder">A folder in Hugging Face layout.</param>
    /// <param name="needsWeights">False where it is no problem that there are none.</param>
    public static CheckpointInspection Read(string folder, bool needsWeights = true)
    {
        var (read, configProblem) = Try(() => ModelConfigReader.Load(folder));
        var (stored, weightsProblem) = needsWeights || Checkpoint.IsIn(folder) ? Try(() => ReadStored(folder, read)) : (null, null);
        var config = stored?.Config ?? read;
        return new CheckpointInspection
        {
            Folder = folder,
            Config = config,
            HasUntiedOutput = config?.TiedEmbeddings != read?.TiedEmbeddings,
            ParameterCount = config is null ? 0 : DecoderTensors.CountElements(config, Architecture.LayoutOf(config)),
            StoredElements = stored?.Elements,
            ConfigProblem = configProblem,
            WeightsProblem = weightsProblem,
        };
    }

    private static (T? Value, string? Problem) Try<T>(Func<T> read) where T : class
    {
        try
        {
            return (read(), null);
        }
        catch (CheckpointException problem)
        {
            return (null, problem.Message);
        }
    }

    /// <summary>Elements by type, and the configuration as the weights bear it out.</summary>
    private static Stored ReadStored(string folder, ModelConfig? config)
    {
        using var checkpoint = Checkpoint.Open(folder);
        if (config is not null)
        {
            var layout = Architecture.LayoutOf(config).As(checkpoint);
            config = DecoderTensors.WithStoredOutput(config, checkpoint, layout);
            DecoderTensors.Check(checkpoint, config, layout);
        }
        var elements = checkpoint.Names.Select(name => checkpoint.Find(name)!.Value.Tensor)
            .Where(tensor => tensor.IsWeight)
            .GroupBy(tensor => tensor.Type.ToString().ToLowerInvariant(), tensor => tensor.ElementCount)
            .ToDictionary(type => type.Key, type => type.Sum());
        return new Stored(elements, config);
    }

    private sealed record Stored(IReadOnlyDictionary<string, long> Elements, ModelConfig? Config);
}
