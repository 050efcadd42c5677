using DeRa.Torch.Configuration;
using DeRa.Torch.Families;
using DeRa.Torch.Layouts;
using DeRa.Torch.Native;
using DeRa.Torch.Operators;
using DeRa.Torch.Weights;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace DeRa.Lab.Models;

/// <summary>
/// A small trainable decoder in Llama's layout: whole sequences in training, token by token over a dense cache in sampling. Layers and
/// attention are written independently of the engine's decoder, so the two check each other; rotary frequencies are shared. Weights
/// are float32. One thread at a time; its creator disposes of it.
/// </summary>
internal sealed class TrainableDecoder : IDisposable
{
    private readonly DecoderLayout _layout;
    private readonly Parameter _embedding, _finalNorm;
    private readonly Parameter? _output;
    private readonly TrainableLayer[] _layers;
    private readonly Tensor _cosine, _sine; // [context, headDimension / 2]

    private TrainableDecoder(ModelConfig config, Device device, Func<string, long[], Tensor> weight)
    {
        (Config, Device, _layout) = (config, device, Architecture.LayoutOf(config));
        using var scope = NewDisposeScope();
        using var gradientsOff = no_grad();
        _embedding = Own(weight(_layout.Embedding, [config.VocabularySize, config.HiddenSize]));
        _layers = [.. Enumerable.Range(0, config.LayerCount).Select(layer => new TrainableLayer(config, (name, shape) =>
            Own(weight(_layout.InLayer(layer, name), shape))))];
        _finalNorm = Own(weight(_layout.FinalNorm + ".weight", [config.HiddenSize]));
        if (!config.TiedEmbeddings) _output = Own(weight(_layout.Output, [config.VocabularySize, config.HiddenSize]));
        var frequencies = tensor(RotaryFrequencies.Of(config), dtype: ScalarType.Float64, device: device);
        var angles = Arithmetic.Range(0, config.ContextTokens, ScalarType.Float64, device).unsqueeze(1) * frequencies;
        _cosine = angles.cos().to(ScalarType.Float32).DetachFromDisposeScope();
        _sine = angles.sin().to(ScalarType.Float32).DetachFromDisposeScope();
    }

    /// <summary>The model's shape.</summary>
    public ModelConfig Config { get; }

    /// <summary>Where its weights are.</summary>
    public Device Device { get; }

    /// <summary>
    /// The type of matrix products and attention in <see cref="Logits"/>, float32 or bfloat16; weights, norms, sums and gradients of
    /// weights are float32 all the same (mixed precision, arXiv 1710.03740).
    /// </summary>
    public ScalarType ComputeType { get; set; } = ScalarType.Float32;

    /// <summary>Number of weights.</summary>
    public long ParameterCount => Weights.Sum(weight => weight.Value.numel());

    /// <summary>Every weight by Hugging Face's name, in a fixed order.</summary>
    public IEnumerable<KeyValuePair<string, Parameter>> Weights
    {
        get
        {
            yield return new(_layout.Embedding, _embedding);
            for (var layer = 0; layer < _layers.Length; layer++)
                foreach (var (name, weight) in _layers[layer].Weights)
                    yield return new(_layout.InLayer(layer, name), weight);
            yield return new(_layout.FinalNorm + ".weight", _finalNorm);
            if (_output is not null) yield return new(_layout.Output, _output);
        }
    }

    /// <summary>Whether a weight is a layer's, not the embedding, the output or the last norm.</summary>
    public bool IsInLayer(string name) => name != _layout.Embedding && name != _layout.Output && name != _layout.FinalNorm + ".weight";

    /// <summary>Frees the gradients.</summary>
    public void ForgetGradients()
    {
        foreach (var (_, weight) in Weights) weight.grad = null;
    }

    /// <summary>
    /// A new model: normal weights of deviation 0.02, those that end a residual branch smaller by √(2·layers) (GPT-2).
    /// </summary>
    /// <param name="config">A plain Llama shape.</param>
    /// <param name="seed">Determines the weights.</param>
    /// <param name="device">Its device.</param>
    /// <exception cref="ArgumentException">The configuration asks for more than the Lab trains.</exception>
    public static TrainableDecoder Create(ModelConfig config, long seed, Device device)
    {
        RefuseUntrainable(config);
        using var generator = new Generator((ulong)seed, CPU);
        return new TrainableDecoder(config, device, Initial);

        Tensor Initial(string name, long[] shape)
        {
            if (shape.Length == 1) return ones(shape, device: device);
            var endsBranch = name.EndsWith("o_proj.weight", StringComparison.Ordinal)
                || name.EndsWith("down_proj.weight", StringComparison.Ordinal);
            var deviation = 0.02 / (endsBranch ? Math.Sqrt(2 * config.LayerCount) : 1);
            return randn(shape, generator: generator).Times(deviation).to(device);
        }
    }

    /// <summary>Loads a model folder in Hugging Face layout.</summary>
    /// <exception cref="CheckpointException">The folder is not a checkpoint, or a broken one.</exception>
    /// <exception cref="ArgumentException">The configuration asks for more than the Lab trains.</exception>
    public static TrainableDecoder Load(string folder, Device device)
    {
        var config = ModelConfigReader.Load(folder);
        RefuseUntrainable(config);
        using var checkpoint = Checkpoint.Open(folder);
        var layout = Architecture.LayoutOf(config);
        config = DecoderTensors.WithStoredOutput(config, checkpoint, layout);
        DecoderTensors.Check(checkpoint, config, layout);
        using var scope = NewDisposeScope();
        var reader = new WeightReader(checkpoint, device, ScalarType.Float32, _ => { }, CancellationToken.None);
        return new TrainableDecoder(config, device, (name, shape) => reader.Read(name, shape));
    }

    /// <summary>An independent copy.</summary>
    public TrainableDecoder Clone()
    {
        var weights = Weights.ToDictionary();
        return new TrainableDecoder(Config, Device, (name, _) => weights[name].detach().clone());
    }

    /// <summary>Interpolates, or extrapolates, the weights of two models of one shape: (1 − share)·first + share·second.</summary>
    public static TrainableDecoder Interpolate(TrainableDecoder first, TrainableDecoder second, double share)
    {
        var others = second.Weights.ToDictionary();
        var weights = first.Weights.ToDictionary();
        return new TrainableDecoder(first.Config, first.Device, (name, _) =>
            weights[name].detach().Times(1 - share).Plus(others[name].detach().Times(share)));
    }

    /// <summary>Logits at every position of whole sequences.</summary>
    /// <param name="tokens">[rows, tokens], int64; tokens ≤ the context.</param>
    /// <returns>[rows, tokens, vocabulary], float32, owned by the caller's scope.</returns>
    public Tensor Logits(Tensor tokens)
    {
        var length = tokens.size(1);
        var (cosine, sine) = (_cosine.narrow(0, 0, length).to(ComputeType), _sine.narrow(0, 0, length).to(ComputeType));
        var hidden = Embedded(tokens);
        foreach (var layer in _layers) hidden = layer.Apply(hidden, cosine, sine, cache: null);
        return Output(hidden, ComputeType);
    }

    /// <summary>Log-probabilities of a sequence's own tokens.</summary>
    /// <param name="tokens">[rows, tokens], int64.</param>
    /// <returns>[rows, tokens − 1], float32: column t is log p(token t + 1 | tokens up to t).</returns>
    public Tensor LogProbs(Tensor tokens)
    {
        var length = tokens.size(1) - 1;
        var logits = Logits(tokens.narrow(1, 0, length)); // [rows, tokens − 1, vocabulary]
        var losses = nn.functional.cross_entropy(
            logits.view(-1, Config.VocabularySize), tokens.narrow(1, 1, length).reshape(-1), reduction: nn.Reduction.None);
        return -losses.view(-1, length);
    }

    /// <summary>An empty cache for sampling.</summary>
    public DenseCache CreateCache(long rows, int tokens) => new(Config, rows, tokens, Device);

    /// <summary>Reads the next tokens of each row into the cache. Without gradients.</summary>
    /// <param name="tokens">[rows, tokens], int64.</param>
    /// <param name="cache">What the rows have read so far.</param>
    /// <returns>[rows, vocabulary], float32: logits after the last of these tokens.</returns>
    public Tensor Step(Tensor tokens, DenseCache cache)
    {
        using var gradientsOff = no_grad();
        using var scope = NewDisposeScope();
        var length = tokens.size(1);
        var (cosine, sine) = (_cosine.narrow(0, cache.Tokens, length), _sine.narrow(0, cache.Tokens, length));
        var hidden = Embedded(tokens);
        for (var layer = 0; layer < _layers.Length; layer++)
            hidden = _layers[layer].Apply(hidden, cosine, sine, cache.Layer(layer));
        cache.Advance(length);
        return Output(hidden.narrow(1, length - 1, 1), ScalarType.Float32).squeeze(1).MoveToOuterDisposeScope();
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var (_, weight) in Weights) weight.Dispose();
        _cosine.Dispose();
        _sine.Dispose();
    }

    private Tensor Output(Tensor hidden, ScalarType type) => nn.functional.linear(
        TrainableLayer.Norm(hidden, _finalNorm, Config.NormEpsilon).to(type), (_output ?? _embedding).to(type)).to(ScalarType.Float32);

    private Tensor Embedded(Tensor tokens) =>
        _embedding.index_select(0, tokens.reshape(-1)).view(tokens.size(0), tokens.size(1), -1);

    private static Parameter Own(Tensor weight)
    {
        var parameter = new Parameter(weight, requires_grad: true);
        parameter.DetachFromDisposeScope();
        return parameter;
    }

    private static void RefuseUntrainable(ModelConfig config)
    {
        var isLlama = config is { Family: ModelFamily.Llama or ModelFamily.Mistral, Activation: Activation.Silu };
        if (!isLlama || config.QueryKeyValueBias || config.AttentionOutputBias || config.FeedForwardBias
            || config.RotaryScaling is RotaryScaling.Yarn || config.WindowTokens.Any(window => window is not null))
            throw new ArgumentException($"A {config.Family} checkpoint cannot be trained here: the Lab trains decoders in Llama's layout "
                + "(architecture LlamaForCausalLM or MistralForCausalLM, activation silu) without biases, yarn or a sliding window.");
    }
}
