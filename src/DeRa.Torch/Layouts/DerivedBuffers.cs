using DeRa.Torch.Configuration;

namespace DeRa.Torch.Layouts;

/// <summary>
/// Tables and masks that programs have stored beside the weights although the configuration determines them: rotary tables, in
/// the attention of each layer or once for the model, and causal masks. Nobody reads them, in whatever type they are.
/// </summary>
/// <param name="config">The configuration.</param>
/// <param name="layout">Its layout; names may have its prefix or lack it.</param>
internal sealed class DerivedBuffers(ModelConfig config, DecoderLayout layout)
{
    private static readonly string[] RotaryModules = ["rotary_emb", "rotary_pos_emb"];
    private static readonly string[] RotaryTables = ["inv_freq", "original_inv_freq", "cos_cached", "sin_cached", "cos", "sin"];

    /// <summary>Whether a tensor is one of them.</summary>
    /// <param name="name">Its name.</param>
    /// <param name="shape">Its shape: a bias of attention's is a mask only where it is a square one.</param>
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
