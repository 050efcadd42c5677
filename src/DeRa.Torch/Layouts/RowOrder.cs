using static TorchSharp.torch;

namespace DeRa.Torch.Layouts;

/// <summary>
/// A module whose outputs the checkpoint interleaves by head: stored rows are [heads, parts, width], here they are
/// [parts, heads, width].
/// </summary>
/// <param name="Heads">How many heads.</param>
/// <param name="Parts">Groups of outputs a head has; 3 for query, key and value.</param>
internal sealed record RowOrder(int Heads, int Parts)
{
    /// <summary>A view of rows in this order whose elements follow each other as they are stored.</summary>
    /// <param name="rows">[outputs, …].</param>
    /// <returns>[heads, parts, width, …], over the same memory.</returns>
    public Tensor AsStored(Tensor rows) =>
        rows.view([Parts, Heads, rows.size(0) / (Parts * Heads), .. rows.shape[1..]]).transpose(0, 1);
}
