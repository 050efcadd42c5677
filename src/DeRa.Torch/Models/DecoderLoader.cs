using DeRa.Torch.Native;
using DeRa.Torch.Operators;
using DeRa.Torch.Weights;
using static TorchSharp.torch;

namespace DeRa.Torch.Models;

/// <summary>Loads a decoder's weights onto a device, modules fused as their layout says.</summary>
internal sealed class DecoderLoader
{
    private readonly ModelConfig _config;
    private readonly DecoderLayout _layout;
    private readonly WeightReader _reader;

    private DecoderLoader(ModelConfig config, DecoderLayout layout, WeightReader reader) =>
        (_config, _layout, _reader) = (config, layout, reader);

    /// <summary>Loads a model folder. Needs libtorch; any thread, several at once.</summary>
    /// <param name="folder">A Hugging Face model folder.</param>
    /// <param name="config">Its configuration.</param>
    /// <param name="device">Where the weights go.</param>
    /// <param name="type">Element type of weights and activations.</param>
    /// <param name="onProgress">Takes loaded and total bytes; null = nobody.</param>
    /// <param name="cancellation">Stops between two pieces of a tensor.</param>
    /// <exception cref="CheckpointException">The weights are missing, broken, or not what the configuration says.</exception>
    /// <exception cref="OperationCanceledException">Cancelled.</exception>
    public static DecoderModel Load(
        string folder, ModelConfig config, Device device, DTypeOption type,
        Action<long, long>? onProgress, CancellationToken cancellation)
    {
        using var checkpoint = Checkpoint.Open(folder);
        var layout = DecoderLayout.Of(config);
        DecoderTensors.Check(checkpoint, config, layout);
        var embedding = checkpoint.Find(layout.Embedding)!.Value.Tensor;
        var elementType = type.Resolve(config.ElementType ?? embedding.Type);
        long loaded = 0, total = DecoderTensors.Expected(config, layout).Sum(tensor => checkpoint.Find(tensor.Name)!.Value.Tensor.LengthBytes);
        using var scope = NewDisposeScope();
        using var noGradients = no_grad();
        var reader = new WeightReader(checkpoint, device, elementType, bytes => onProgress?.Invoke(loaded += bytes, total), cancellation);
        var model = new DecoderLoader(config, layout, reader).Read(device, elementType);
        scope.Detach(model.Tensors);
        return model;
    }

    private DecoderModel Read(Device device, ScalarType type)
    {
        long vocabulary = _config.VocabularySize, hidden = _config.HiddenSize;
        var embedding = _reader.Read(_layout.Embedding, vocabulary, hidden);
        return new DecoderModel(_config, device, type)
        {
            Embedding = embedding,
            Layers = Enumerable.Range(0, _config.LayerCount).Select(ReadLayer).ToList(),
            FinalNorm = ReadNorm(_layout.FinalNorm),
            Output = new LinearWeight(
                _config.TiedEmbeddings ? embedding : _reader.Read(_layout.Output, vocabulary, hidden), Bias: null),
            InverseFrequencies = tensor(RotaryAngles.InverseFrequencies(_config), dtype: ScalarType.Float64, device: device),
        };
    }

    private DecoderLayer ReadLayer(int layer) => new(_config)
    {
        AttentionNorm = ReadNorm(_layout.InLayer(layer, _layout.Layer.AttentionNorm)),
        QueryKeyValue = ReadLinear(layer, _layout.Layer.QueryKeyValue),
        AttentionOutput = ReadLinear(layer, _layout.Layer.AttentionOutput),
        FeedForwardNorm = ReadNorm(_layout.InLayer(layer, _layout.Layer.FeedForwardNorm)),
        FeedForwardInput = ReadLinear(layer, _layout.Layer.FeedForwardInput),
        FeedForwardOutput = ReadLinear(layer, _layout.Layer.FeedForwardOutput),
    };

    private Tensor ReadNorm(string module) => _reader.ReadFloat32(module + ".weight", _config.HiddenSize);

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
        return new LinearWeight(weight, bias);
    }
}
