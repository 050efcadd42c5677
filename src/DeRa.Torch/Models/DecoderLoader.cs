using DeRa.Torch.Operators;
using DeRa.Torch.Weights;
using static TorchSharp.torch;

namespace DeRa.Torch.Models;

/// <summary>Loads a decoder's weights onto a device, query, key and value projections fused, gate and up projections too.</summary>
internal sealed class DecoderLoader
{
    private readonly ModelConfig config;
    private readonly WeightReader reader;

    private DecoderLoader(ModelConfig config, WeightReader reader) => (this.config, this.reader) = (config, reader);

    /// <summary>Loads a model folder. Needs libtorch; any thread, several at once.</summary>
    /// <param name="folder">A Hugging Face model folder.</param>
    /// <param name="config">Its configuration.</param>
    /// <param name="device">Where the weights go.</param>
    /// <param name="type">Element type of weights and activations; null = the checkpoint's.</param>
    /// <param name="onProgress">Takes loaded and total bytes; null = nobody.</param>
    /// <param name="cancellation">Stops between two pieces of a tensor.</param>
    /// <exception cref="CheckpointException">The weights are missing, broken, or not what the configuration says.</exception>
    /// <exception cref="OperationCanceledException">Cancelled.</exception>
    public static DecoderModel Load(
        string folder, ModelConfig config, Device device, ScalarType? type, Action<long, long>? onProgress, CancellationToken cancellation)
    {
        using var checkpoint = Checkpoint.Open(folder);
        DecoderTensors.Check(checkpoint, config);
        var embedding = checkpoint.Find(DecoderTensors.Embedding)!.Value.Tensor;
        var elementType = type ?? config.ElementType ?? embedding.Type;
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
        long vocabulary = config.VocabularySize, hidden = config.HiddenSize;
        var embedding = reader.Read(DecoderTensors.Embedding, vocabulary, hidden);
        return new DecoderModel(config, device, type)
        {
            Embedding = embedding,
            Layers = Enumerable.Range(0, config.LayerCount).Select(ReadLayer).ToList(),
            FinalNorm = reader.ReadFloat32(DecoderTensors.FinalNorm, hidden),
            Output = new LinearWeight(config.TiedEmbeddings ? embedding : reader.Read(DecoderTensors.Output, vocabulary, hidden), Bias: null),
            InverseFrequencies = tensor(RotaryAngles.InverseFrequencies(config), dtype: ScalarType.Float64, device: device),
        };
    }

    private DecoderLayer ReadLayer(int layer)
    {
        long hidden = config.HiddenSize, intermediate = config.IntermediateSize;
        long queries = config.HeadCount * (long)config.HeadDimension, keys = config.KeyValueHeadCount * (long)config.HeadDimension;
        return new DecoderLayer(config)
        {
            AttentionNorm = reader.ReadFloat32(Name("input_layernorm.weight"), hidden),
            QueryKeyValue = ReadLinear(config.QueryKeyValueBias, hidden,
                (Name("self_attn.q_proj"), queries), (Name("self_attn.k_proj"), keys), (Name("self_attn.v_proj"), keys)),
            AttentionOutput = ReadLinear(config.AttentionOutputBias, queries, (Name("self_attn.o_proj"), hidden)),
            FeedForwardNorm = reader.ReadFloat32(Name("post_attention_layernorm.weight"), hidden),
            GateUp = ReadLinear(config.FeedForwardBias, hidden, (Name("mlp.gate_proj"), intermediate), (Name("mlp.up_proj"), intermediate)),
            Down = ReadLinear(config.FeedForwardBias, intermediate, (Name("mlp.down_proj"), hidden)),
        };

        string Name(string name) => DecoderTensors.InLayer(layer, name);
    }

    private LinearWeight ReadLinear(bool hasBias, long inputs, params (string Name, long Outputs)[] parts) => new(
        reader.ReadStacked(parts.Select(part => (part.Name + ".weight", part.Outputs)).ToList(), inputs),
        hasBias ? reader.ReadStacked(parts.Select(part => (part.Name + ".bias", part.Outputs)).ToList()) : null);
}
