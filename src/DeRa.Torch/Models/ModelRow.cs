using DeRa.Engine.Scheduling;
using DeRa.Torch.Caching;

namespace DeRa.Torch.Models;

/// <summary>A row of a pass as the loaded model runs it, which may compute several models of the pair.</summary>
/// <param name="Row">The row.</param>
/// <param name="FirstBlock">Where the part of the model's pool begins that belongs to the row's model.</param>
/// <param name="Adapter">Which of the model's adapters the row adds; null = none.</param>
internal readonly record struct ModelRow(PassRow Row, int FirstBlock = 0, int? Adapter = null)
{
    /// <summary>How many tokens it has.</summary>
    public int Tokens => Row.Tokens.Length;

    /// <summary>One past its last position.</summary>
    public int End => Row.Position + Row.Tokens.Length;

    /// <summary>Where its positions lie in the pool.</summary>
    public CacheSlots Slots(int blockTokens) => new(Row.BlockTable, FirstBlock, blockTokens);

    /// <summary>Whether another model's row has the same tokens, places and outputs, so that its index tensors serve both.</summary>
    public bool IsSame(ModelRow other) =>
        Row.Position == other.Row.Position && Row.OutputCount == other.Row.OutputCount && FirstBlock == other.FirstBlock
        && Adapter == other.Adapter && ReferenceEquals(Row.BlockTable, other.Row.BlockTable)
        && Row.Tokens.Span.SequenceEqual(other.Row.Tokens.Span);
}
