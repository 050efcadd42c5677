using DeRa.Torch.Configuration;
using DeRa.Torch.Families;
using DeRa.Torch.Layouts;
using DeRa.Torch.Native;
using DeRa.Torch.Weights;
using static TorchSharp.torch;

namespace DeRa.Torch.Adapters;

/// <summary>An adapter's open file, checked against its base model; reads the low-rank term of each fused weight.</summary>
internal sealed class LoraAdapter : IDisposable
{
    private readonly LoraConfig _config;
    private readonly DecoderLayout _layout;
    private readonly Checkpoint _checkpoint;

    private LoraAdapter(LoraConfig config, DecoderLayout layout, Checkpoint checkpoint) =>
        (_config, _layout, _checkpoint) = (config, layout, checkpoint);

    /// <summary>Bytes of its factors in the file.</summary>
    public long StoredBytes => _checkpoint.Names.Where(LoraTensors.IsFactor).Sum(name => _checkpoint.Find(name)!.Value.Tensor.LengthBytes);

    /// <summary>Opens a PEFT folder for a base model.</summary>
    /// <param name="folder">The folder.</param>
    /// <param name="baseModel">The base model's configuration.</param>
    /// <param name="baseWeights">Its weights, to compare the adapter's copies of them with; null = not available.</param>
    /// <exception cref="CheckpointException">It is broken, asks for what is not implemented, or does not fit the base model.</exception>
    public static LoraAdapter Open(string folder, ModelConfig baseModel, Checkpoint? baseWeights)
    {
        var (config, layout) = (LoraConfig.Load(folder), Architecture.LayoutOf(baseModel));
        var checkpoint = Checkpoint.OpenAdapter(folder);
        try
        {
            new LoraTensors(config, layout).Check(checkpoint, baseModel.LayerCount, new BaseCopies(baseModel, baseWeights));
            return new LoraAdapter(config, layout, checkpoint);
        }
        catch
        {
            checkpoint.Dispose();
            throw;
        }
    }

    /// <summary>A reader of its file.</summary>
    public WeightReader Reader(Device device, ScalarType type, Action<long> onLoaded, CancellationToken cancellation) =>
        new(_checkpoint, device, type, onLoaded, cancellation);

    /// <summary>
    /// What it adds to a fused weight; null = nothing. The factors of the weight's modules are placed side by side, each adding to
    /// its own outputs only, so the rank of the whole is the sum of their ranks.
    /// </summary>
    /// <param name="layer">The layer's index.</param>
    /// <param name="linear">The fused weight.</param>
    /// <param name="reader">From <see cref="Reader"/>.</param>
    /// <returns>[rank, inputs] and [outputs, rank], scale included; owned by the caller's scope.</returns>
    public (Tensor A, Tensor B)? Read(int layer, LinearLayout linear, WeightReader reader)
    {
        var ranks = linear.Parts.Select(part => _config.Targets.Contains(_layout, layer, part.Module)
            ? _config.RankOf(_layout.InLayer(layer, part.Module)) : 0).ToList();
        if (ranks.TrueForAll(rank => rank == 0)) return null;
        using var scope = NewDisposeScope();
        var a = reader.Empty(ranks.Sum(), linear.Inputs);
        // In float32, so that it is scaled before it is rounded to the model's element type.
        var b = zeros(linear.Outputs, ranks.Sum(), ScalarType.Float32, a.device);
        long row = 0, rank = 0;
        for (var i = 0; i < ranks.Count; i++)
        {
            var part = linear.Parts[i];
            if (ranks[i] > 0)
            {
                var module = _layout.InLayer(layer, part.Module);
                var own = b.narrow(0, row, part.Outputs).narrow(1, rank, ranks[i]);
                reader.Fill(a.narrow(0, rank, ranks[i]), LoraTensors.A(module));
                reader.Fill(part.OutputsAsStored(own), LoraTensors.B(module));
                own.TimesInPlace(_config.ScaleOf(module));
            }
            (row, rank) = (row + part.Outputs, rank + ranks[i]);
        }
        return (a.MoveToOuterDisposeScope(), b.to(a.dtype).MoveToOuterDisposeScope());
    }

    /// <summary>Closes its file.</summary>
    public void Dispose() => _checkpoint.Dispose();
}
