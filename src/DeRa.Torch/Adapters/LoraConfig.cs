using System.Text.Json;
using DeRa.Torch.Configuration;
using DeRa.Torch.Weights;

namespace DeRa.Torch.Adapters;

/// <summary>
/// A PEFT folder's <c>adapter_config.json</c>, read strictly: low-rank adaptation (LoRA, arXiv 2106.09685) of the layers' linear
/// modules. Source: huggingface/peft, LoraConfig.
/// </summary>
internal sealed record LoraConfig
{
    public const string FileName = "adapter_config.json";
    private const int MaxRank = 1 << 16;

    /// <summary>
    /// Fields that only training reads, and metadata. <c>fan_in_fan_out</c> only matters for merging into the base weights;
    /// <c>merge_weights</c> (PEFT up to 0.2) says when PEFT was to merge.
    /// </summary>
    private static readonly HashSet<string> Ignored =
    [
        "auto_mapping", "base_model_name_or_path", "ensure_weight_tying", "eva_config", "fan_in_fan_out", "inference_mode", "lora_dropout",
        "lora_dtype", "lorap_emb_lr", "lorap_lr_ratio", "megatron_core", "merge_weights", "peft_version", "qalora_group_size", "revision",
        "task_type",
    ];

    private LoraConfig()
    {
    }

    /// <summary>r where no rank pattern matches; [1, 65,536].</summary>
    public required int Rank { get; init; }

    /// <summary>α where no alpha pattern matches; above 0.</summary>
    public required double Alpha { get; init; }

    /// <summary>Whether α is divided by √r instead of r (arXiv 2312.03732).</summary>
    public required bool IsRankStabilized { get; init; }

    /// <summary>The base model that the folder names; null where it names none.</summary>
    public required string? BaseModel { get; init; }

    /// <summary>The modules that are adapted.</summary>
    public required ModuleTargets Targets { get; init; }

    /// <summary>Modules whose whole weights the file holds (<c>modules_to_save</c>).</summary>
    public required IReadOnlyList<string> SavedModules { get; init; }

    /// <summary>Ranks of single modules, by a pattern of their names.</summary>
    public required IReadOnlyList<(ModulePattern Module, double Value)> RankPatterns { get; init; }

    /// <summary>α of single modules, by a pattern of their names.</summary>
    public required IReadOnlyList<(ModulePattern Module, double Value)> AlphaPatterns { get; init; }

    /// <summary>Whether a folder holds an adapter instead of a whole model.</summary>
    public static bool IsIn(string folder) => File.Exists(Path.Combine(folder, FileName)) && !Checkpoint.IsIn(folder);

    /// <summary>Reads a PEFT folder's configuration.</summary>
    /// <exception cref="CheckpointException">It is missing, broken, or asks for what is not implemented.</exception>
    public static LoraConfig Load(string folder)
    {
        var path = Path.Combine(folder, FileName);
        return StrictJson.ReadFile(path, config => Read(new ConfigFields(path, config)));
    }

    /// <summary>r of a module.</summary>
    /// <param name="module">Its full name, such as <c>model.layers.0.self_attn.q_proj</c>.</param>
    public int RankOf(string module) => (int)(ValueOf(module, RankPatterns) ?? Rank);

    /// <summary>What the product of a module's two factors is multiplied by: α / r, or α / √r.</summary>
    /// <param name="module">Its full name.</param>
    public double ScaleOf(string module)
    {
        var rank = RankOf(module);
        return (ValueOf(module, AlphaPatterns) ?? Alpha) / (IsRankStabilized ? Math.Sqrt(rank) : rank);
    }

    private static double? ValueOf(string module, IReadOnlyList<(ModulePattern Module, double Value)> patterns)
    {
        foreach (var (pattern, value) in patterns)
            if (pattern.Matches(module)) return value;
        return null;
    }

    private static LoraConfig Read(ConfigFields fields)
    {
        RequireText(fields, "peft_type", required: true, "LORA");
        RequireText(fields, "bias", required: false, "none");
        RefuseOtherBaseWeights(fields);
        var config = new LoraConfig
        {
            Rank = fields.Integer("r", 1, MaxRank),
            Alpha = fields.OptionalNumber("lora_alpha", above: 0) ?? 8,
            IsRankStabilized = fields.Flag("use_rslora", defaultValue: false),
            BaseModel = fields.String("base_model_name_or_path"),
            Targets = ModuleTargets.Read(fields),
            SavedModules = fields.Strings("modules_to_save") ?? [],
            RankPatterns = ReadPatterns(fields, "rank_pattern", value => value is >= 1 and <= MaxRank && value == Math.Floor(value),
                $"a whole number from 1 to {MaxRank}"),
            AlphaPatterns = ReadPatterns(fields, "alpha_pattern", value => value > 0, "a number above 0"),
        };
        fields.RefuseUnread(Ignored.Contains, IsNeutral);
        return config;
    }

    private static void RequireText(ConfigFields fields, string name, bool required, string supported)
    {
        var value = fields.String(name);
        if (value == supported || (value is null && !required)) return;
        throw fields.Invalid(name, $"is '{value}', which is not supported (supported: {supported})");
    }

    /// <summary>Some initialisations change the base weights, which the adapter's file does not hold.</summary>
    private static void RefuseOtherBaseWeights(ConfigFields fields)
    {
        const string name = "init_lora_weights";
        if (!fields.IsString(name)) return;
        var value = fields.String(name)!;
        if (value is not ("gaussian" or "orthogonal" or "eva"))
            throw fields.Invalid(name, $"is '{value}', which changes the base weights; save the adapter converted to plain LoRA "
                + "(PEFT: save_pretrained with path_initial_model_for_weight_conversion)");
    }

    private static List<(ModulePattern, double)> ReadPatterns(
        ConfigFields fields, string name, Predicate<double> isAllowed, string allowed) =>
        [.. fields.Numbers(name).Select(entry => isAllowed(entry.Value)
            ? (ModulePattern.EndOf(fields, name, entry.Name), entry.Value)
            : throw fields.Invalid($"{name}.{entry.Name}", $"is {entry.Value}; it must be {allowed}"))];

    private static bool IsNeutral(string name, JsonElement value) => name switch
    {
        "init_lora_weights" or "lora_bias" or "use_dora" or "use_qalora" or "use_qa_lora" or "use_merged_linear" =>
            value.ValueKind is JsonValueKind.True or JsonValueKind.False
            && (name == "init_lora_weights" || value.ValueKind == JsonValueKind.False),
        "loftq_config" => value.ValueKind == JsonValueKind.Object && !value.EnumerateObject().Any(),
        "target_parameters" => value.ValueKind == JsonValueKind.Array && value.GetArrayLength() == 0,
        _ => false,
    };
}
