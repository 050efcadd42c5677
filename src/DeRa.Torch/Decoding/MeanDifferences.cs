using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using DeRa.Torch.Native;
using DeRa.Torch.Operators;
using TorchSharp;
using static TorchSharp.torch;

namespace DeRa.Torch.Decoding;

/// <summary>
/// By how much each model's logits exceed the reference's, token by token: running means μ over decisions, with which guesses estimate
/// models that have not got to their position. Decisions never depend on them. Engine thread only.
/// </summary>
internal sealed class MeanDifferences : IDisposable
{
    /// <summary>Decisions that a mean remembers: up to so many a plain average, then a moving one.</summary>
    private const int Memory = 1000;

    /// <summary>Where single differences are clamped: a rare large one would outlive what it says.</summary>
    private const float Most = 3;

    private static readonly Scalar s_least = (-Most).ToScalar();
    private static readonly Scalar s_most = Most.ToScalar();

    private readonly Tensor _means; // float32 [models, vocabulary]; the reference's row stays 0
    private readonly int[] _decisions; // by model: how many its mean is over
    private readonly int _vocabularySize;

    /// <summary>Begins with zeros.</summary>
    /// <param name="models">Models of the pair, the reference too.</param>
    /// <param name="vocabularySize">Size of the vocabulary.</param>
    /// <param name="device">The device of all models.</param>
    public MeanDifferences(int models, int vocabularySize, Device device)
    {
        (_decisions, _vocabularySize) = (new int[models], vocabularySize);
        using var scope = NewDisposeScope();
        _means = zeros([models, vocabularySize], ScalarType.Float32, device);
        scope.Detach(_means);
    }

    /// <summary>float32 [models, vocabulary] on the models' device, row m model m's: do not write to it.</summary>
    public Tensor Means => _means;

    /// <summary>How many models there are, the reference too.</summary>
    public int ModelCount => _decisions.Length;

    /// <summary>One model's, on the CPU: float32 [vocabulary].</summary>
    public ReadOnlySpan<float> Of(int model) => Row(model);

    /// <summary>Adds what a decision's models say, on the CPU.</summary>
    /// <param name="row">A row in which the reference is active; all its logits are known.</param>
    /// <param name="logits">The members' logits.</param>
    /// <param name="index">Which row of them.</param>
    public void Add(LogitRow row, CpuLogits logits, int index)
    {
        var active = row.Strengths.ActiveModels;
        for (var i = 1; i < active.Length; i++)
            Add(Row(active[i]), logits.Row(active[i], index), logits.Row(0, index), Count(active[i]));
    }

    /// <summary>The same by libtorch's operators, on any device, without waiting for it.</summary>
    public void Add(LogitRow row, IReadOnlyList<ModelLogits> members, int index)
    {
        using var scope = NewDisposeScope();
        var reference = members[0].Take([index], _vocabularySize, _means.device);
        var active = row.Strengths.ActiveModels;
        for (var i = 1; i < active.Length; i++)
        {
            using var count = Count(active[i]).ToScalar();
            var mean = _means.narrow(0, active[i], 1);
            var difference = members[active[i]].Take([index], _vocabularySize, _means.device).sub(reference)
                .nan_to_num(0, 0, 0).clamp_(s_least, s_most);
            mean.PlusInPlace(difference.sub(mean).div_(count));
        }
    }

    /// <summary>Frees the means.</summary>
    public void Dispose() => _means.Dispose();

    private Span<float> Row(int model) => CpuKernels.Elements(_means).Slice(model * _vocabularySize, _vocabularySize);

    private float Count(int model) => _decisions[model] = Math.Min(_decisions[model] + 1, Memory);

    /// <summary>μ += (d − μ) / count, where d = own − reference, clamped; 0 where it is not finite.</summary>
    private static void Add(Span<float> means, ReadOnlySpan<float> own, ReadOnlySpan<float> reference, float count)
    {
        var vectors = MemoryMarshal.Cast<float, Vector256<float>>(means);
        var owns = CpuVector.Of(own);
        var references = CpuVector.Of(reference);
        var (least, most) = (Vector256.Create(-Most), Vector256.Create(Most));
        var (infinity, divisor) = (Vector256.Create(float.PositiveInfinity), Vector256.Create(count));
        for (var i = 0; i < vectors.Length && i < owns.Length && i < references.Length; i++)
        {
            var difference = owns[i] - references[i];
            difference &= Vector256.LessThan(Vector256.Abs(difference), infinity);
            difference = Vector256.MinNative(Vector256.MaxNative(difference, least), most);
            vectors[i] += (difference - vectors[i]) / divisor;
        }
        for (var i = vectors.Length * Vector256<float>.Count; i < means.Length; i++)
        {
            var difference = own[i] - reference[i];
            means[i] += ((float.IsFinite(difference) ? Math.Clamp(difference, -Most, Most) : 0) - means[i]) / count;
        }
    }
}
