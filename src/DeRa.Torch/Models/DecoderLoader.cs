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
    private readonly ModelTypes _types;
    private readonly List<PackedWeight> _packed = [];
    private readonly IReadOnlyList<(LoraAdapter Adapter, WeightReader Reader)> _adapters;

    private DecoderLoader(
        ModelConfig config, DecoderLayout layout, WeightReader reader, ModelTypes types,
        IReadOnlyList<(LoraAdapter, WeightReader)> adapters) =>
        (_config, _layout, _reader, _types, _adapters) = (config, layout, reader, types, adapters);

    /// <summary>Loads a model folder. Needs libtorch; any thread, several at once.</summary>
    /// <param name="folder">A Hugging Face model folder.</param>
    /// <param name="config">
    /// Its configuration; the model's may be untied from it (<see cref="DecoderTensors.WithStoredOutput"/>).
    /// </param>
    /// <param name="device">Where the weights go.</param>
    /// <param name="numbers">The element types of its parts, and what computes.</param>
    /// <param name="onProgress">Receives loaded and total bytes; may be null.</param>
    /// <param name="cancellation">Stops between two pieces of a tensor.</param>
    /// <param name="adapterFolders">PEFT folders of its adapters.</param>
    /// <exception cref="CheckpointException">The weights are missing, broken, or not what the configuration says.</exception>
    /// <exception cref="LibTorchException">
    /// Our kernels are asked for on another device than the CPU, or a type of cache that what computes does not have.
    /// </exception>
    /// <exception cref="OperationCanceledException">Cancelled.</exception>
    public static DecoderModel Load(
        string folder, ModelConfig config, Device device, NumberOptions numbers,
        Action<long, long>? onProgress, CancellationToken cancellation, params IReadOnlyList<string> adapterFolders)
    {
        using var checkpoint = Checkpoint.Open(folder);
        var adapters = new List<LoraAdapter>(adapterFolders.Count);
        try
        {
            foreach (var adapter in adapterFolders) adapters.Add(LoraAdapter.Open(adapter, config, checkpoint));
            return Load(checkpoint, adapters, config, device, numbers, onProgress, cancellation);
        }
        finally
        {
            adapters.ForEach(adapter => adapter.Dispose());
        }
    }

    private static DecoderModel Load(
        Checkpoint checkpoint, List<LoraAdapter> adapters, ModelConfig config, Device device, NumberOptions numbers,
        Action<long, long>? onProgress, CancellationToken cancellation)
    {
        var layout = Architecture.LayoutOf(config).As(checkpoint);
        config = DecoderTensors.WithStoredOutput(config, checkpoint, layout);
        DecoderTensors.Check(checkpoint, config, layout);
        var embedding = checkpoint.Find(layout.Embedding)!.Value.Tensor;
        var types = ModelTypes.Of(numbers, config.ElementType ?? embedding.Type, device);
        long loaded = 0, total = adapters.Sum(adapter => adapter.StoredBytes)
            + DecoderTensors.Expected(config, layout).Sum(tensor => checkpoint.Find(tensor.Name)!.Value.Tensor.LengthBytes);
        using var scope = NewDisposeScope();
        using var noGradients = no_grad();
        var reader = new WeightReader(checkpoint, device, types.Weights, OnLoaded, cancellation);
        var loader = new DecoderLoader(config, layout, reader, types,
            [.. adapters.Select(adapter => (adapter, adapter.Reader(device, types.Adapters, OnLoaded, cancellation)))]);
        var model = loader.Read(device);
        scope.Detach(model.Tensors);
        return model;

        void OnLoaded(long bytes) => onProgress?.Invoke(loaded += bytes, total);
    }

    private DecoderModel Read(Device device)
    {
        try
        {
            return ReadModel(device);
        }
        catch
        {
            _packed.ForEach(matrix => matrix.Dispose());
            throw;
        }
    }

    private DecoderModel ReadModel(Device device)
    {
        long vocabulary = _config.VocabularySize, hidden = _config.HiddenSize;
        var embedding = _config.TiedEmbeddings ? Pack(_reader.Read(_layout.Embedding, vocabulary, hidden))
            : new TensorMatrix(_reader.Read(_layout.Embedding, vocabulary, hidden));
        return new DecoderModel(_config, device, _types.Weights, _types.Activations, _types.Cache)
        {
            Embedding = embedding,
            Positions = _layout.Positions is { } positions ? ReadPositions(positions) : null,
            Layers = Enumerable.Range(0, _config.LayerCount).Select(ReadLayer).ToList(),
            FinalNorm = ReadNorm(_layout.FinalNorm),
            Output = new LinearWeight(
                _config.TiedEmbeddings ? embedding : Pack(_reader.Read(_layout.Output, _config.OutputSize, hidden)), Bias: null),
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
        var weight = _reader.Empty(_types.Weights, layout.Outputs, layout.Inputs);
        var bias = layout.HasBias ? _reader.Empty(_types.Activations, layout.Outputs) : null;
        long row = 0;
        foreach (var part in layout.Parts)
        {
            using var scope = NewDisposeScope();
            var module = _layout.InLayer(layer, part.Module);
            _reader.Fill(part.WeightAsStored(weight.narrow(0, row, part.Outputs)), module + ".weight");
            if (bias is not null) _reader.Fill(part.OutputsAsStored(bias.narrow(0, row, part.Outputs)), module + ".bias");
            row += part.Outputs;
        }
        return new LinearWeight(Pack(weight), bias)
        {
            Adapters = [.. _adapters.Select(adapter => ReadAdapter(adapter.Adapter.Read(layer, layout, adapter.Reader)))],
        };
    }

    private LowRank? ReadAdapter((Tensor A, Tensor B)? factors) =>
        factors is { } own ? new LowRank(Pack(own.A), Pack(own.B)) : null;

    private Tensor ReadPositions(string name)
    {
        var positions = _reader.Empty(_types.Activations, _config.ContextTokens, _config.HiddenSize);
        _reader.Fill(positions, name);
        return positions;
    }

    /// <summary>The matrix in the form that products want; frees the tensor where that is another one.</summary>
    private IWeightMatrix Pack(Tensor weight)
    {
        if (!_types.ArePacked) return new TensorMatrix(weight);
        var packed = PackedWeight.Of(weight, _types.IsPrefillByLibTorch);
        _packed.Add(packed);
        weight.Dispose();
        return packed;
    }

    /// <summary>The element types of a model's parts.</summary>
    /// <param name="Weights">Of weight matrices.</param>
    /// <param name="Activations">Of activations, biases and learned positions.</param>
    /// <param name="Cache">Of the cache.</param>
    /// <param name="ArePacked">Whether our own kernels compute products.</param>
    /// <param name="IsPrefillByLibTorch">Whether those of prompts are libtorch's all the same.</param>
    private readonly record struct ModelTypes(
        ScalarType Weights, ScalarType Activations, ScalarType Cache, bool ArePacked, bool IsPrefillByLibTorch)
    {
        /// <summary>Of adapters, which are small.</summary>
        public ScalarType Adapters => Activations;

        public static ModelTypes Of(NumberOptions numbers, ScalarType checkpoint, Device device)
        {
            var (weights, areOwn) = (numbers.DType.Resolve(checkpoint), numbers.Kernels.AreOwn(device));
            var activations = areOwn ? ScalarType.Float32 : weights;
            return new(weights, activations, numbers.CacheDType.Resolve(device, activations), areOwn,
                numbers.Kernels.IsPrefillByLibTorch);
        }
    }
}
