using DeRa.Torch.Configuration;
using DeRa.Torch.Layouts;

namespace DeRa.Torch.Adapters;

/// <summary>Which modules are adapted. Source: huggingface/peft, check_target_module_exists.</summary>
internal sealed class ModuleTargets
{
    private const string AllLinear = "all-linear";

    private readonly bool _isAllLinear;
    private readonly Func<string, bool> _isTarget;
    private readonly Func<string, bool> _isExcluded;
    private readonly IReadOnlyList<int> _layers;
    private readonly IReadOnlyList<string> _layersModules;

    private ModuleTargets(ConfigFields fields)
    {
        _isAllLinear = fields.IsString("target_modules")
            && AllLinear.Equals(fields.String("target_modules"), StringComparison.OrdinalIgnoreCase);
        _isTarget = _isAllLinear ? _ => true : ReadNames(fields, "target_modules") ?? throw fields.Invalid("target_modules",
            $"is missing; it must be a list of module names, a pattern of them, or '{AllLinear}'");
        _isExcluded = ReadNames(fields, "exclude_modules") ?? (_ => false);
        _layers = fields.Integers("layers_to_transform", 0, ConfigLimits.MaxLayers) ?? [];
        _layersModules = fields.StringOrStrings("layers_pattern") ?? [];
    }

    /// <summary>Reads <c>target_modules</c> and the fields that narrow it.</summary>
    /// <exception cref="Weights.CheckpointException">One is missing or malformed.</exception>
    public static ModuleTargets Read(ConfigFields fields) => new(fields);

    /// <summary>Whether a linear module of a layer is adapted.</summary>
    /// <param name="layout">The model's layout.</param>
    /// <param name="layer">The layer's index.</param>
    /// <param name="module">The module's name in the layer.</param>
    public bool Contains(DecoderLayout layout, int layer, string module) =>
        Contains(layout.InLayer(layer, module))
        && (_layers.Count == 0 || _layers.Contains(layer))
        && (_layers.Count == 0 || _layersModules.Count == 0 || _layersModules.Contains(layout.LayersModule.Split('.')[^1]));

    /// <summary>Whether a module outside the layers is adapted.</summary>
    /// <param name="module">Its full name, such as <c>lm_head</c>.</param>
    public bool ContainsOutsideLayers(string module) => !_isAllLinear && _layers.Count == 0 && Contains(module);

    private bool Contains(string module) => _isTarget(module) && !_isExcluded(module);

    private static Func<string, bool>? ReadNames(ConfigFields fields, string field)
    {
        if (!fields.Has(field)) return null;
        if (!fields.IsString(field))
        {
            var names = fields.Strings(field)!;
            return module => names.Any(name => module == name || module.EndsWith("." + name, StringComparison.Ordinal));
        }
        return ModulePattern.Whole(fields, field, fields.String(field)!).Matches;
    }
}
