using DeRa.Torch.Native;
using DeRa.Torch.Operators;
using DeRa.Torch.Weights;
using static TorchSharp.torch;

namespace DeRa.Torch.Models;

/// <summary>Loads a decoder's weights onto a device, query, key and value projections fused, gate and up projections too.</summary>
internal sealed class DecoderLoader
{
    private readonly ModelConfig _config;
    private readonly WeightReader _reader;

    private DecoderLoader(ModelConfig config, WeightReader reader) => (_config, _reader) = (config, reader);

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
        DecoderTensors.Check(checkpoint, config);
        var embedding = checkpoint.Find(DecoderTensors.Embedding)!.Value.Tensor;
        var elementType = type.Resolve(config.ElementType ?? embedding.Type);
        long loaded = 0, total = DecoderTensors.Expected(config).Sum(tensor => checkpoint.Find(tensor.Name)!.Value.Tensor.LengthBytes);
        using var scope = NewDisposeScope();
        using var noGradients = no_grad();
        var reader = new WeightReader(checkpoint, device, elementType, bytes => onProgress?.Invoke(loaded += bytes, total), cancellation);
        var model = new DecoderLoader(config, reader).Read(device, elementType);
        scope.Detach(model.Tensors);
        return model;
    }

    private DecoderModel Read(Device device, ScalarType type)
    {
        long vocabulary = _config.VocabularySize, hidden = _config.HiddenSize;
        var embedding = _reader.Read(DecoderTensors.Embedding, vocabulary, hidden);
        return new DecoderModel(_config, device, type)
        {
            Embedding = embedding,
            Layers = Enumerable.Range(0, _config.LayerCount).Select(ReadLayer).ToList(),
            FinalNorm = _reader.ReadFloat32(DecoderTensors.FinalNorm, hidden),
            Output = new LinearWeight(
                _config.TiedEmbeddings ? embedding : _reader.Read(DecoderTensors.Output, vocabulary, hidden), Bias: null),
            InverseFrequencies = tensor(RotaryAngles.InverseFrequencies(_config), dtype: ScalarType.Float64, device: device),
        };
    }

    private DecoderLayer ReadLayer(int layer)
    {
        long hidden = _config.HiddenSize, intermediate = _config.IntermediateSize;
        long queries = _config.HeadCount * (long)_config.HeadDimension, keys = _config.KeyValueHeadCount * (long)_config.HeadDimension;
        return new DecoderLayer(_config)
        {
            AttentionNorm = _reader.ReadFloat32(Name("input_layernorm.weight"), hidden),
            QueryKeyValue = ReadLinear(_config.QueryKeyValueBias, hidden,
                (Name("self_attn.q_proj"), queries), (Name("self_attn.k_proj"), keys), (Name("self_attn.v_proj"), keys)),
            AttentionOutput = ReadLinear(_config.AttentionOutputBias, queries, (Name("self_attn.o_proj"), hidden)),
            FeedForwardNorm = _reader.ReadFloat32(Name("post_attention_layernorm.weight"), hidden),
            GateUp = ReadLinear(_config.FeedForwardBias, hidden,
                (Name("mlp.gate_proj"), intermediate), (Name("mlp.up_proj"), intermediate)),
            Down = ReadLinear(_config.FeedForwardBias, intermediate, (Name("mlp.down_proj"), hidden)),
        };

        string Name(string name) => DecoderTensors.InLayer(layer, name);
    }

    private LinearWeight ReadLinear(bool hasBias, long inputs, params (string Name, long Outputs)[] parts) => new(
        _reader.ReadStacked(parts.Select(part => (part.Name + ".weight", part.Outputs)).ToList(), inputs),
        hasBias ? _reader.ReadStacked(parts.Select(part => (part.Name + ".bias", part.Outputs)).ToList()) : null);
}
