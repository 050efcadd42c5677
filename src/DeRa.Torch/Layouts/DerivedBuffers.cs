using DeRa.Torch.Configuration;

namespace DeRa.Torch.Layouts;

/// <summary>
/// Ignored tensors: tables and masks that some programs store beside the weights although the configuration determines them, that
/// is rotary tables, in each layer's attention or once for the model, and causal masks. They may be of any type.
/// </summary>
/// <param name="config">The configuration.</param>
/// <param name="layout">Its layout; names are recognised with and without its prefix.</param>
internal sealed class DerivedBuffers(ModelConfig config, DecoderLayout layout)
{
    private static readonly string[] RotaryModules = ["rotary_emb", "rotary_pos_emb"];
    private static readonly string[] RotaryTables = ["inv_freq", "original_inv_freq", "cos_cached", "sin_cached", "cos", "sin"];

    /// <summary>Whether a tensor is one of them.</summary>
    /// <param name="name">Its name.</param>
    /// <param name="shape">Its shape: the attention's <c>bias</c> is a mask only if it is square.</param>
    public bool Contains(string name, ReadOnlySpan<long> shape)
    {
        var inModel = WithoutPrefix(name, layout.Prefix);
        var inLayer = WithoutLayer(inModel);
        var inAttention = WithoutPrefix(inLayer, layout.Layer.Attention + ".");
        return IsRotaryTable(inAttention) || IsMask(inAttention, isInAttention: inAttention.Length < inLayer.Length, shape);
    }

    private static string WithoutPrefix(string name, string prefix) =>
        prefix.Length > 0 && name.StartsWith(prefix, StringComparison.Ordinal) ? name[prefix.Length..] : name;

    private string WithoutLayer(string name) =>
        name.Split('.', 3) is [var layers, var index, var rest] && layers == layout.LayersModule
        && int.TryParse(index, System.Globalization.NumberStyles.None, provider: null, out var layer) && layer < config.LayerCount
            ? rest
            : name;

    private bool IsRotaryTable(string name) => config.RotaryDimension > 0
        && name.Split('.') is [var module, var table] && RotaryModules.Contains(module) && RotaryTables.Contains(table);

    private static bool IsMask(string name, bool isInAttention, ReadOnlySpan<long> shape) => name switch
    {
        "bias" => isInAttention && IsSquare(shape),
        "causal_mask" => IsSquare(shape),
        "masked_bias" => isInAttention && shape is [] or [1],
        "position_ids" => true,
        _ => false,
    };

    private static bool IsSquare(ReadOnlySpan<long> shape) => shape is [.., var rows, var columns] && rows == columns;
}
