using DeRa.Torch.Adapters;
using DeRa.Torch.Configuration;
using DeRa.Torch.Families;
using DeRa.Torch.Layouts;
using DeRa.Torch.Native;
using DeRa.Torch.Operators;
using DeRa.Torch.Weights;
using static TorchSharp.torch;

namespace DeRa.Torch.Models;

/// <summary>Loads a decoder's weights onto a device and fuses modules as their layout says.</summary>
internal sealed class DecoderLoader
{
    private readonly ModelConfig _config;
    private readonly DecoderLayout _layout;
    private readonly WeightReader _reader;
    private readonly IReadOnlyList<(LoraAdapter Adapter, WeightReader Reader)> _adapters;

    private DecoderLoader(
        ModelConfig config, DecoderLayout layout, WeightReader reader, IReadOnlyList<(LoraAdapter, WeightReader)> adapters) =>
        (_config, _layout, _reader, _adapters) = (config, layout, reader, adapters);

    /// <summary>Loads a model folder. Needs libtorch; any thread, several at once.</summary>
    /// <param name="folder">A Hugging Face model folder.</param>
    /// <param name="config">
    /// Its configuration; the model's may be untied from it (<see cref="DecoderTensors.WithStoredOutput"/>).
    /// </param>
    /// <param name="device">Where the weights go.</param>
    /// <param name="type">Element type of weights and activations.</param>
    /// <param name="onProgress">Receives loaded and total bytes; may be null.</param>
    /// <param name="cancellation">Stops between two pieces of a tensor.</param>
    /// <param name="adapterFolders">PEFT folders of its adapters.</param>
    /// <exception cref="CheckpointException">The weights are missing, broken, or not what the configuration says.</exception>
    /// <exception cref="OperationCanceledException">Cancelled.</exception>
    public static DecoderModel Load(
        string folder, ModelConfig config, Device device, DTypeOption type,
        Action<long, long>? onProgress, CancellationToken cancellation, params IReadOnlyList<string> adapterFolders)
    {
        using var checkpoint = Checkpoint.Open(folder);
        var adapters = new List<LoraAdapter>(adapterFolders.Count);
        try
        {
            foreach (var adapter in adapterFolders) adapters.Add(LoraAdapter.Open(adapter, config, checkpoint));
            return Load(checkpoint, adapters, config, device, type, onProgress, cancellation);
        }
        finally
        {
            adapters.ForEach(adapter => adapter.Dispose());
        }
    }

    private static DecoderModel Load(
        Checkpoint checkpoint, List<LoraAdapter> adapters, ModelConfig config, Device device, DTypeOption type,
        Action<long, long>? onProgress, CancellationToken cancellation)
    {
        var layout = Architecture.LayoutOf(config).As(checkpoint);
        config = DecoderTensors.WithStoredOutput(config, checkpoint, layout);
        DecoderTensors.Check(checkpoint, config, layout);
        var embedding = checkpoint.Find(layout.Embedding)!.Value.Tensor;
        var elementType = type.Resolve(config.ElementType ?? embedding.Type);
        long loaded = 0, total = adapters.Sum(adapter => adapter.StoredBytes)
            + DecoderTensors.Expected(config, layout).Sum(tensor => checkpoint.Find(tensor.Name)!.Value.Tensor.LengthBytes);
        using var scope = NewDisposeScope();
        using var noGradients = no_grad();
        var reader = new WeightReader(checkpoint, device, elementType, OnLoaded, cancellation);
        var loader = new DecoderLoader(config, layout, reader,
            [.. adapters.Select(adapter => (adapter, adapter.Reader(device, elementType, OnLoaded, cancellation)))]);
        var model = loader.Read(device, elementType);
        scope.Detach(model.Tensors);
        return model;

        void OnLoaded(long bytes) => onProgress?.Invoke(loaded += bytes, total);
    }

    private DecoderModel Read(Device device, ScalarType type)
    {
        long vocabulary = _config.VocabularySize, hidden = _config.HiddenSize;
        var embedding = _reader.Read(_layout.Embedding, vocabulary, hidden);
        return new DecoderModel(_config, device, type)
        {
            Embedding = embedding,
            Positions = _layout.Positions is { } positions ? _reader.Read(positions, _config.ContextTokens, hidden) : null,
            Layers = Enumerable.Range(0, _config.LayerCount).Select(ReadLayer).ToList(),
            FinalNorm = ReadNorm(_layout.FinalNorm),
            Output = new LinearWeight(
                _config.TiedEmbeddings ? embedding : _reader.Read(_layout.Output, vocabulary, hidden), Bias: null),
            InverseFrequencies = _config.RotaryDimension == 0 ? null
                : tensor(RotaryFrequencies.Of(_config), dtype: ScalarType.Float64, device: device),
        };
    }

    private DecoderLayer ReadLayer(int layer)
    {
        var layout = _layout.Layer;
        return new DecoderLayer(_config)
        {
            AttentionNorm = ReadNorm(Name(layout.AttentionNorm)),
            QueryKeyValue = ReadLinear(layer, layout.QueryKeyValue),
            HeadNorm = layout is { QueryNorm: { } query, KeyNorm: { } key } ? ReadHeadNorm(Name(query), Name(key)) : null,
            AttentionOutput = ReadLinear(layer, layout.AttentionOutput),
            AttentionOutputNorm = layout.AttentionOutputNorm is { } afterAttention ? ReadNorm(Name(afterAttention)) : null,
            FeedForwardNorm = ReadNorm(Name(layout.FeedForwardNorm)),
            FeedForwardInput = ReadLinear(layer, layout.FeedForwardInput),
            FeedForwardOutput = ReadLinear(layer, layout.FeedForwardOutput),
            FeedForwardOutputNorm = layout.FeedForwardOutputNorm is { } afterFeedForward ? ReadNorm(Name(afterFeedForward)) : null,
        };

        string Name(string name) => _layout.InLayer(layer, name);
    }

    private NormWeight ReadNorm(string module)
    {
        var weight = _reader.ReadFloat32(module + ".weight", _config.HiddenSize);
        if (_layout.NormOffset != 0) weight.PlusInPlace(_layout.NormOffset);
        return new NormWeight(weight, _config.Norm == NormKind.Layer ? _reader.ReadFloat32(module + ".bias", _config.HiddenSize) : null);
    }

    /// <summary>[heads + keyValueHeads, headDimension]: one row a head, queries first.</summary>
    private Tensor ReadHeadNorm(string query, string key)
    {
        using var scope = NewDisposeScope();
        var (queryWeight, keyWeight) =
            (_reader.ReadFloat32(query + ".weight", _config.HeadDimension), _reader.ReadFloat32(key + ".weight", _config.HeadDimension));
        return cat([queryWeight.expand(_config.HeadCount, -1), keyWeight.expand(_config.KeyValueHeadCount, -1)], 0)
            .MoveToOuterDisposeScope();
    }

    private LinearWeight ReadLinear(int layer, LinearLayout layout)
    {
        var weight = _reader.Empty(layout.Outputs, layout.Inputs);
        var bias = layout.HasBias ? _reader.Empty(layout.Outputs) : null;
        long row = 0;
        foreach (var part in layout.Parts)
        {
            using var scope = NewDisposeScope();
            var module = _layout.InLayer(layer, part.Module);
            _reader.Fill(part.WeightAsStored(weight.narrow(0, row, part.Outputs)), module + ".weight");
            if (bias is not null) _reader.Fill(part.OutputsAsStored(bias.narrow(0, row, part.Outputs)), module + ".bias");
            row += part.Outputs;
        }
        return new LinearWeight(weight, bias)
        {
            Adapters = [.. _adapters.Select(adapter => adapter.Adapter.Read(layer, layout, adapter.Reader))],
        };
    }
}
