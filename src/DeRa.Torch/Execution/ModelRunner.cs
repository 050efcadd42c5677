using DeRa.Engine.Scheduling;
using DeRa.Torch.Caching;
using DeRa.Torch.Decoding;
using DeRa.Torch.Models;

namespace DeRa.Torch.Execution;

/// <summary>
/// One loaded model with its cache and the members of the pair that it computes (two where both use one folder; one more for each
/// adapter over it): they share a pass.
/// </summary>
/// <param name="model">The model.</param>
/// <param name="cache">Its pool: for each member in turn as many blocks as the pair has.</param>
/// <param name="logits">Where the logits of its members are kept; runners on one device share it.</param>
/// <param name="members">At least one.</param>
internal sealed class ModelRunner(DecoderModel model, KvCache cache, LogitStore logits, IReadOnlyList<RunnerMember> members) : IDisposable
{
    /// <summary>The model.</summary>
    public DecoderModel Model => model;

    /// <summary>Its cache.</summary>
    public KvCache Cache => cache;

    /// <summary>Where the logits of its members are kept.</summary>
    public LogitStore KeptLogits => logits;

    /// <summary>The members of the pair that it computes.</summary>
    public IReadOnlyList<RunnerMember> Members => members;

    /// <summary>What the engine needs to know of it.</summary>
    public RunnerLimits Limits { get; } = new([.. members.Select(member => member.Index)], model.Device.ToString());

    /// <summary>Whether both can share index tensors where they run the same rows.</summary>
    public bool HasSameDeviceAndType(ModelRunner other) =>
        model.Device.type == other.Model.Device.type && model.Device.index == other.Model.Device.index
        && model.ActivationType == other.Model.ActivationType;

    /// <summary>The rows of a pass, each with its member's adapter and part of the pool.</summary>
    /// <param name="rows">Rows of its members.</param>
    /// <param name="blockCount">Blocks of each member's part.</param>
    /// <param name="laid">Receives them in the place of what it holds.</param>
    public void Lay(IReadOnlyList<PassRow> rows, int blockCount, List<ModelRow> laid)
    {
        laid.Clear();
        for (var i = 0; i < rows.Count; i++)
        {
            var part = 0;
            while (members[part].Index != rows[i].Model) part++;
            laid.Add(new ModelRow(rows[i], part * blockCount, members[part].Adapter));
        }
    }

    /// <summary>Copies blocks in the parts of all members.</summary>
    /// <param name="copies">At least one.</param>
    /// <param name="blockCount">Blocks of each member's part.</param>
    public void CopyBlocks(IReadOnlyList<BlockCopy> copies, int blockCount)
    {
        var (from, to) = (new long[copies.Count * members.Count], new long[copies.Count * members.Count]);
        for (var i = 0; i < from.Length; i++)
        {
            var (part, copy) = Math.DivRem(i, copies.Count);
            (from[i], to[i]) = (copies[copy].From + (long)part * blockCount, copies[copy].To + (long)part * blockCount);
        }
        cache.CopyBlocks(from, to);
    }

    /// <summary>Frees the model, its cache and the kept logits.</summary>
    public void Dispose()
    {
        cache.Dispose();
        model.Dispose();
        logits.Dispose();
    }
}

/// <summary>A member of the pair that a loaded model computes.</summary>
/// <param name="Index">0 = the reference, i = the aligned model i − 1.</param>
/// <param name="Adapter">Which of the model's adapters it adds; null = none.</param>
internal readonly record struct RunnerMember(int Index, int? Adapter = null);
