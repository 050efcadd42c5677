using DeRa.Engine.Scheduling;
using DeRa.Torch.Caching;
using DeRa.Torch.Families;
using DeRa.Torch.Models;
using DeRa.Torch.Native;
using DeRa.Torch.Weights;
using static TorchSharp.torch;

namespace DeRa.Torch.Execution;

/// <summary>
/// A sequence-classification model with one label, a reward model: its score is a linear function of the last token's hidden state.
/// Source: Hugging Face's <c>…ForSequenceClassification</c>. Any thread, one call at a time.
/// </summary>
public sealed class SequenceClassifier : IDisposable
{
    /// <summary>Tokens of all sequences of one pass, unless a single one has more.</summary>
    private const int PassTokens = 4096;

    private const int BlockTokens = 16;

    private readonly DecoderModel _model;

    private SequenceClassifier(DecoderModel model) => _model = model;

    /// <summary>Most tokens that a sequence may have.</summary>
    public int ContextTokens => _model.Config.ContextTokens;

    /// <summary>Rows of its embedding: token ids lie below.</summary>
    public int VocabularySize => _model.Config.VocabularySize;

    /// <summary>Loads a model folder, and libtorch where it is not loaded yet.</summary>
    /// <param name="folder">A Hugging Face model folder.</param>
    /// <param name="device">Such as <c>cpu</c> or <c>cuda:0</c>.</param>
    /// <param name="numbers">The element types of weights and cache, and what computes.</param>
    /// <exception cref="CheckpointException">It is missing, broken, of another class, or has more than one label.</exception>
    /// <exception cref="LibTorchException">libtorch or the device does not work.</exception>
    public static SequenceClassifier Load(string folder, DeviceOption device, NumberOptions numbers)
    {
        var target = device.Resolve(LibTorch.Load()).Reference;
        return new(DecoderLoader.Load(
            folder, ModelConfigReader.LoadClassifier(folder), target, numbers, onProgress: null, CancellationToken.None));
    }

    /// <summary>Scores sequences, several in one pass.</summary>
    /// <param name="sequences">Token ids in [0, <see cref="VocabularySize"/>); of each 1 to <see cref="ContextTokens"/>.</param>
    /// <param name="cancellation">Stops it between two passes.</param>
    /// <returns>One score each, in their order.</returns>
    public IReadOnlyList<float> Score(IReadOnlyList<int[]> sequences, CancellationToken cancellation)
    {
        using var inference = inference_mode();
        var scores = new List<float>(sequences.Count);
        while (scores.Count < sequences.Count)
        {
            cancellation.ThrowIfCancellationRequested();
            var (count, tokens) = (0, 0);
            while (scores.Count + count < sequences.Count && (count == 0 || tokens + sequences[scores.Count + count].Length <= PassTokens))
                tokens += sequences[scores.Count + count++].Length;
            scores.AddRange(RunPass([.. sequences.Skip(scores.Count).Take(count)]));
        }
        return scores;
    }

    /// <inheritdoc/>
    public void Dispose() => _model.Dispose();

    private float[] RunPass(IReadOnlyList<int[]> sequences)
    {
        var rows = new List<ModelRow>(sequences.Count);
        var blocks = 0;
        for (var i = 0; i < sequences.Count; i++)
        {
            var own = (sequences[i].Length + BlockTokens - 1) / BlockTokens;
            rows.Add(new ModelRow(new PassRow
            {
                Branch = i,
                Model = 0,
                Tokens = sequences[i],
                Position = 0,
                BlockTable = [.. Enumerable.Range(blocks, own)],
                OutputCount = 1,
            }));
            blocks += own;
        }
        using var scope = NewDisposeScope();
        using var cache = new KvCache(_model.Config, blocks, BlockTokens, _model.Cache);
        var step = new ModelStep(rows, _model.Config.WindowTokens, BlockTokens, _model.Device, _model.ActivationType);
        return _model.Logits(_model.Forward(step, cache)).to(ScalarType.Float32).cpu().data<float>().ToArray();
    }
}
