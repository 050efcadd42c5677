using DeRa.Torch.Adapters;
using DeRa.Torch.Weights;

namespace DeRa.Torch.Merging;

/// <summary>
/// Two models of one architecture, between whose weights a third is interpolated: (1 − s)·reference + s·aligned. Needs no libtorch; of
/// the weights one piece is in memory at a time. Used by one thread.
/// </summary>
public sealed class WeightMerge : IDisposable
{
    private readonly MergedModel _reference;
    private readonly MergedModel _aligned;

    private WeightMerge(MergedModel reference, MergedModel aligned) => (_reference, _aligned) = (reference, aligned);

    /// <summary>Bytes of the reference's weights, and so of those that are written.</summary>
    public long DataBytes => _reference.Checkpoint.Files.Sum(file => file.Tensors.Sum(tensor => tensor.LengthBytes));

    /// <summary>Reads configurations and headers of both.</summary>
    /// <param name="reference">Folder of the reference model.</param>
    /// <param name="aligned">Folder of the aligned model.</param>
    /// <exception cref="CheckpointException">One cannot be served, is an adapter, or they compute differently.</exception>
    public static WeightMerge Open(string reference, string aligned)
    {
        if (LoraConfig.IsIn(aligned))
            throw new CheckpointException(aligned, "is an adapter, which needs no merging: with s·lora_alpha in its adapter_config.json it "
                + "is the model between; or merge it into the reference model first (PEFT: merge_and_unload)");
        var first = MergedModel.Open(reference);
        try
        {
            var second = MergedModel.Open(aligned);
            try
            {
                second.CheckSame(first);
                return new WeightMerge(first, second);
            }
            catch
            {
                second.Dispose();
                throw;
            }
        }
        catch
        {
            first.Dispose();
            throw;
        }
    }

    /// <summary>
    /// Writes the weights: the reference's files, with its names, types and shapes. Tables that belong to no weight are the reference's.
    /// </summary>
    /// <param name="folder">Where; the files must not be there.</param>
    /// <param name="strength">s: 0 = the reference's weights, 1 = the aligned model's.</param>
    /// <param name="onWritten">Receives the bytes of data written since the last call.</param>
    /// <param name="cancellation">Stops between two pieces.</param>
    /// <exception cref="CheckpointException">The two models' files changed meanwhile.</exception>
    public void Write(string folder, double strength, Action<long> onWritten, CancellationToken cancellation)
    {
        foreach (var file in _reference.Checkpoint.Files)
        {
            using var target = new FileStream(Path.Combine(folder, Path.GetFileName(file.Path)), FileMode.CreateNew, FileAccess.Write);
            file.CopyHeader(target);
            foreach (var tensor in file.Tensors.OrderBy(tensor => tensor.OffsetBytes).ThenBy(tensor => tensor.LengthBytes))
                TensorMerge.Write(target, (file, tensor), _aligned.Find(_reference.FullName(tensor.Name)), (float)strength, onWritten,
                    cancellation);
        }
        if (File.Exists(_reference.Checkpoint.IndexPath))
            File.Copy(_reference.Checkpoint.IndexPath, Path.Combine(folder, Path.GetFileName(_reference.Checkpoint.IndexPath)));
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _reference.Dispose();
        _aligned.Dispose();
    }
}
