using System.Reflection;
using DeRa.Torch.Configuration;
using DeRa.Torch.Families;
using DeRa.Torch.Layouts;
using DeRa.Torch.Weights;

namespace DeRa.Torch.Merging;

/// <summary>One of two models that are merged.</summary>
internal sealed class MergedModel : IDisposable
{
    /// <summary>Fields that say how weights are stored, or that have no part in the mathematics of a token.</summary>
    private static readonly string[] s_stored =
    [
        nameof(ModelConfig.ElementType), nameof(ModelConfig.WindowTokens), nameof(ModelConfig.ContextTokens),
        nameof(ModelConfig.TiedEmbeddings),
    ];

    private readonly ModelConfig _config;
    private readonly DecoderLayout _layout;
    private readonly HashSet<string> _weights;

    private MergedModel(Checkpoint checkpoint, ModelConfig config)
    {
        Checkpoint = checkpoint;
        _layout = Architecture.LayoutOf(config).As(checkpoint);
        _config = DecoderTensors.WithStoredOutput(config, checkpoint, _layout);
        DecoderTensors.Check(checkpoint, _config, _layout);
        _weights = [.. DecoderTensors.Expected(_config with { TiedEmbeddings = false }, _layout).Select(tensor => tensor.Name)];
    }

    /// <summary>Its weights.</summary>
    public Checkpoint Checkpoint { get; }

    /// <summary>Opens a folder.</summary>
    /// <exception cref="CheckpointException">It cannot be served.</exception>
    public static MergedModel Open(string folder)
    {
        var config = ModelConfigReader.Load(folder);
        var checkpoint = Checkpoint.Open(folder);
        try
        {
            return new MergedModel(checkpoint, config);
        }
        catch
        {
            checkpoint.Dispose();
            throw;
        }
    }

    /// <summary>Checks that both compute the same of their weights.</summary>
    /// <exception cref="CheckpointException">They do not; the message names the field of the configuration.</exception>
    public void CheckSame(MergedModel reference)
    {
        foreach (var field in typeof(ModelConfig).GetProperties(BindingFlags.Public | BindingFlags.Instance)
            .Where(field => !s_stored.Contains(field.Name)))
        {
            var (own, other) = (field.GetValue(_config), field.GetValue(reference._config));
            if (!Equals(own, other))
                throw new CheckpointException(Checkpoint.Folder, $"{field.Name} is {own ?? "none"}, but {other ?? "none"} in "
                    + $"{reference.Checkpoint.Folder}; weights can only be interpolated between models of one architecture");
        }
        if (!_config.WindowTokens.SequenceEqual(reference._config.WindowTokens))
            throw new CheckpointException(Checkpoint.Folder, "its sliding windows are not those of the reference model");
        if (reference._config.TiedEmbeddings && !_config.TiedEmbeddings)
            throw new CheckpointException(Checkpoint.Folder,
                "its output layer is not its embedding, but that of the reference model is; what lies between has no place there");
        foreach (var name in reference._weights)
            if (reference.Checkpoint.Find(name) is { Tensor: var stored } && Find(reference.FullName(name)) is { } own)
                Checkpoint.CheckWeight(own.Tensor.Name, stored.Shape, "the reference model's has");
    }

    /// <summary>A weight's name with the prefix that some checkpoints leave out; null = it is no weight.</summary>
    public string? FullName(string name) => !_weights.Contains(name) ? null
        : _layout.IsBare && name != _layout.Output ? _layout.Prefix + name : name;

    /// <summary>The weight of a full name; of a tied output layer that is not stored, the embedding. Null = there is none.</summary>
    public (SafetensorsFile File, StoredTensor Tensor)? Find(string? fullName)
    {
        if (fullName is null) return null;
        var own = _layout.IsBare && fullName != _layout.Output ? fullName[_layout.Prefix.Length..] : fullName;
        return Checkpoint.Find(own) ?? (fullName == _layout.Output ? Checkpoint.Find(_layout.Embedding) : null);
    }

    /// <summary>Closes its files.</summary>
    public void Dispose() => Checkpoint.Dispose();
}
