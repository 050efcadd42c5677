namespace DeRa.Torch.Configuration;

/// <summary>Reads which layers have a sliding window: one entry a layer, the tokens it sees, or null for all.</summary>
internal static class WindowFields
{
    /// <summary>What Hugging Face assumes where <c>sliding_window</c> is absent (not null), in all these families.</summary>
    private const int DefaultWindowTokens = 4096;

    /// <summary>The type of a layer that sees the whole context.</summary>
    public const string Full = "full_attention";

    /// <summary>The same window in every layer, or none (Mistral).</summary>
    public static IReadOnlyList<int?> ReadSame(ConfigFields fields, int layerCount)
    {
        var window = ReadWindow(fields);
        if (ReadTypes(fields, layerCount)?.Contains(window is null) == true)
            throw fields.Invalid("layer_types", $"is {fields.Excerpt("layer_types")}, but 'sliding_window' is "
                + (window is null ? "null: no layer has a window" : $"{window}: every layer has that window"));
        return Enumerable.Repeat(window, layerCount).ToArray();
    }

    /// <summary>A window from layer <c>max_window_layers</c> on, or as <c>layer_types</c> says, where windows are enabled (Qwen).</summary>
    public static IReadOnlyList<int?> ReadSwitched(ConfigFields fields, int layerCount)
    {
        var isUsed = fields.Flag("use_sliding_window", defaultValue: false);
        var window = ReadWindow(fields);
        var firstWindowLayer = fields.OptionalInteger("max_window_layers", 0, ConfigLimits.MaxLayers) ?? 28;
        var types = ReadTypes(fields, layerCount);
        if (!isUsed && types?.Contains(true) == true)
            throw fields.Invalid("layer_types", "has a sliding_attention layer, but 'use_sliding_window' is not true");
        return Windows(layerCount, layer => isUsed && (types?[layer] ?? layer >= firstWindowLayer), window);
    }

    /// <summary>A window in the first layer and every other one, or as <c>layer_types</c> says (Gemma 2).</summary>
    public static IReadOnlyList<int?> ReadAlternating(ConfigFields fields, int layerCount)
    {
        var types = ReadTypes(fields, layerCount);
        return Windows(layerCount, layer => types?[layer] ?? layer % 2 == 0, ReadWindow(fields));
    }

    private static int?[] Windows(int layerCount, Func<int, bool> isWindowed, int? window) =>
        [.. Enumerable.Range(0, layerCount).Select(layer => isWindowed(layer) ? window : null)];

    private static int? ReadWindow(ConfigFields fields) =>
        fields.IsPresent("sliding_window")
            ? fields.OptionalInteger("sliding_window", 1, ConfigLimits.MaxContextTokens)
            : DefaultWindowTokens;

    /// <summary>Which layers have a window by <c>layer_types</c>; null where it is absent.</summary>
    private static List<bool>? ReadTypes(ConfigFields fields, int layerCount)
    {
        if (fields.Strings("layer_types") is not { } types) return null;
        if (types.Count != layerCount)
            throw fields.Invalid("layer_types", $"has {types.Count} entries; it must have one for each of {layerCount} layers");
        return types.Select(type => IsWindowed(fields, type)).ToList();
    }

    private static bool IsWindowed(ConfigFields fields, string type) => type switch
    {
        Full => false,
        "sliding_attention" => true,
        _ => throw fields.Invalid("layer_types", $"has '{type}', which is not supported (supported: full_attention, sliding_attention)"),
    };
}
