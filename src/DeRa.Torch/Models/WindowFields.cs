namespace DeRa.Torch.Models;

/// <summary>Reads which layers see only a window of the context.</summary>
internal static class WindowFields
{
    /// <summary>What Hugging Face assumes where <c>sliding_window</c> is absent (not null): both families have the same.</summary>
    private const int DefaultWindowTokens = 4096;

    /// <summary>One entry a layer: tokens it sees, or null for all.</summary>
    public static IReadOnlyList<int?> Read(ConfigFields fields, ModelFamily family, int layerCount) => family switch
    {
        ModelFamily.Llama => new int?[layerCount],
        ModelFamily.Mistral => Enumerable.Repeat(ReadWindow(fields), layerCount).ToArray(),
        _ => ReadQwen2(fields, layerCount),
    };

    private static int? ReadWindow(ConfigFields fields) =>
        fields.Names("sliding_window")
            ? fields.OptionalInteger("sliding_window", 1, ModelConfigReader.MaxContextTokens)
            : DefaultWindowTokens;

    private static int?[] ReadQwen2(ConfigFields fields, int layerCount)
    {
        var isUsed = fields.Flag("use_sliding_window", absent: false);
        var window = ReadWindow(fields);
        var firstWindowLayer = fields.OptionalInteger("max_window_layers", 0, ModelConfigReader.MaxLayers) ?? 28;
        var types = fields.Texts("layer_types");
        if (types is not null && types.Count != layerCount)
            throw fields.Wrong("layer_types", $"has {types.Count} entries; it must have one for each of {layerCount} layers");
        var windows = new int?[layerCount];
        for (var layer = 0; layer < layerCount; layer++)
        {
            var isWindowed = types is null ? layer >= firstWindowLayer : IsWindowed(fields, types[layer]);
            if (isUsed && isWindowed) windows[layer] = window;
            else if (types is not null && isWindowed)
                throw fields.Wrong("layer_types", "has a sliding_attention layer, but 'use_sliding_window' is not true");
        }
        return windows;
    }

    private static bool IsWindowed(ConfigFields fields, string type) => type switch
    {
        "full_attention" => false,
        "sliding_attention" => true,
        _ => throw fields.Wrong("layer_types", $"has '{type}', which is not supported (supported: full_attention, sliding_attention)"),
    };
}
