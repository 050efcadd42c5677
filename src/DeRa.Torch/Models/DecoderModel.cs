using DeRa.Torch.Caching;
using DeRa.Torch.Configuration;
using DeRa.Torch.Native;
using DeRa.Torch.Operators;
using static TorchSharp.torch;

namespace DeRa.Torch.Models;

/// <summary>
/// A decoder: weights and computation, no state. Source: Hugging Face's models of the families it implements.
/// After loading it is used by one thread, inside a dispose scope and in inference mode.
/// </summary>
/// <param name="config">Its configuration.</param>
/// <param name="device">The device of its weights.</param>
/// <param name="weights">Element type of its weight matrices.</param>
/// <param name="activations">Element type of activations and logits.</param>
/// <param name="cache">Element type of its cache.</param>
internal sealed class DecoderModel(ModelConfig config, Device device, ScalarType weights, ScalarType activations, ScalarType cache)
    : IDisposable
{
    private readonly double _embeddingScale = Rounded(config.EmbeddingScale, activations);

    /// <summary>Its configuration.</summary>
    public ModelConfig Config => config;

    /// <summary>The device of its weights.</summary>
    public Device Device => device;

    /// <summary>Element type of its weight matrices; norms are float32.</summary>
    public ScalarType WeightType => weights;

    /// <summary>Element type of activations and logits.</summary>
    public ScalarType ActivationType => activations;

    /// <summary>How its cache is laid out.</summary>
    public CachePlace Cache { get; } = new(device, cache, CpuKernels.Supports(device, activations));

    /// <summary>Whether our own kernels compute its products.</summary>
    public bool IsPacked => Output.Weight is PackedWeight;

    /// <summary>Whether libtorch computes those of prompts all the same.</summary>
    public bool IsPrefillByLibTorch => Output.Weight is PackedWeight { IsPrefillByLibTorch: true };

    /// <summary>[vocabulary, hidden].</summary>
    public required IWeightMatrix Embedding { get; init; }

    /// <summary>[context, hidden], in the type of activations: learned positions; null with rotary ones.</summary>
    public Tensor? Positions { get; init; }

    /// <summary>The decoder's layers, first to last.</summary>
    public required IReadOnlyList<DecoderLayer> Layers { get; init; }

    /// <summary>After the last layer.</summary>
    public required NormWeight FinalNorm { get; init; }

    /// <summary>[vocabulary, hidden], the embedding itself where the two are tied; [labels, hidden] of a classifier.</summary>
    public required LinearWeight Output { get; init; }

    /// <summary>
    /// [rotaryDimension / 2], float64: the angle by which each pair of dimensions rotates per position; null = learned positions.
    /// </summary>
    public Tensor? InverseFrequencies { get; init; }

    /// <summary>Memory of one adapter's weights.</summary>
    public long AdapterBytes(int adapter) => Layers.SelectMany(layer => layer.Linears).Select(linear => linear.Adapters[adapter])
        .OfType<LowRank>().Sum(added => added.A.Bytes + added.B.Bytes);

    /// <summary>Memory of the weights, adapters included.</summary>
    public long Bytes => Matrices.Sum(matrix => matrix.Bytes) + Vectors.Sum(vector => vector.numel() * vector.ElementSize);

    /// <summary>Every tensor of the model, once.</summary>
    public IEnumerable<Tensor> Tensors => Matrices.SelectMany(matrix => matrix.Tensors).Concat(Vectors);

    private IEnumerable<IWeightMatrix> Matrices => Layers.SelectMany(layer => layer.Linears).SelectMany(linear => linear.Matrices)
        .Concat(config.TiedEmbeddings ? [] : [Output.Weight]).Append(Embedding);

    private IEnumerable<Tensor> Vectors => Layers.SelectMany(layer => layer.Vectors)
        .Concat(new[] { Positions, FinalNorm.Weight, FinalNorm.Bias, InverseFrequencies }.OfType<Tensor>());

    /// <summary>Runs a step through all layers and writes its keys and values.</summary>
    /// <param name="step">The rows, on this model's device.</param>
    /// <param name="cache">This model's pool.</param>
    /// <returns>[outputs, hidden] after the final norm, one a wanted output, owned by the caller's scope.</returns>
    public Tensor Forward(ModelStep step, KvCache cache)
    {
        using var scope = NewDisposeScope();
        var hidden = Embed(step);
        var angles = InverseFrequencies is null ? null
            : RotaryAngles.At(step.Positions, InverseFrequencies, RotaryFrequencies.AttentionFactor(config));
        for (var layer = 0; layer < Layers.Count; layer++)
            Layers[layer].AddTo(hidden, angles, step, config.WindowTokens[layer], cache.Layers[layer]);
        var outputs = hidden.index_select(0, step.OutputRows);
        return Norm.Apply(outputs, FinalNorm, config.Norm, config.NormEpsilon).MoveToOuterDisposeScope();
    }

    /// <summary>Scores every token of the vocabulary, or every label of a classifier.</summary>
    /// <param name="hidden">[outputs, hidden], from <see cref="Forward"/>.</param>
    /// <returns>[outputs, vocabulary or labels] in the type of activations, capped ones in float32; owned by the caller's scope.</returns>
    public Tensor Logits(Tensor hidden)
    {
        if (config.FinalSoftCap is not { } cap) return Linear.Apply(hidden, Output);
        using var scope = NewDisposeScope();
        return SoftCap.Apply(Linear.Apply(hidden, Output).to(ScalarType.Float32), cap).MoveToOuterDisposeScope();
    }

    /// <summary>Frees the weights.</summary>
    public void Dispose()
    {
        foreach (var matrix in Matrices) matrix.Dispose();
        foreach (var vector in Vectors) vector.Dispose();
    }

    /// <summary>
    /// A number rounded to an element type. Gemma was trained with its embedding scale rounded so, and Hugging Face rounds it too:
    /// √3584 is 59.75 in bfloat16.
    /// </summary>
    internal static double Rounded(double number, ScalarType type)
    {
        using var scope = NewDisposeScope();
        return tensor(number, dtype: type).to(ScalarType.Float64).item<double>();
    }

    private Tensor Embed(ModelStep step)
    {
        var hidden = Embedding.Rows(step.Tokens).to(activations); // [tokens, hidden]
        if (Positions is not null) hidden.PlusInPlace(Positions.index_select(0, step.Positions));
        return _embeddingScale == 1 ? hidden : hidden.TimesInPlace(_embeddingScale);
    }
}
