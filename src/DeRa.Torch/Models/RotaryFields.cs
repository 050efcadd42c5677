namespace DeRa.Torch.Models;

/// <summary>Reads rotary settings in both spellings: <c>rope_theta</c> with <c>rope_scaling</c>, and <c>rope_parameters</c>.</summary>
internal sealed class RotaryFields
{
    private const double DefaultBase = 10_000;
    private const string Supported = "default, linear, llama3, yarn";
    private readonly ConfigFields? _older, _newer;

    private RotaryFields(ConfigFields fields)
    {
        (_older, _newer) = (fields.Object("rope_scaling"), fields.Object("rope_parameters"));
        if (_older is not null && _newer is not null)
            throw fields.Wrong("rope_scaling", "stands beside 'rope_parameters'; only one of them is allowed");
    }

    /// <summary>The base of the frequencies and how they are scaled, in a family where whole heads turn.</summary>
    public static (double Base, RotaryScaling? Scaling) Read(ConfigFields fields, int contextTokens)
    {
        var reader = new RotaryFields(fields);
        var rotaryBase = reader.Agreed(fields, "rope_theta", ["rope_theta"]) ?? DefaultBase;
        return (rotaryBase, reader.ReadScaling(contextTokens));
    }

    /// <summary>The same where only a share of each head turns, with the share, (0, 1].</summary>
    public static (double Base, RotaryScaling? Scaling, double Share) ReadPartial(
        ConfigFields fields, int contextTokens, double absentShare)
    {
        var reader = new RotaryFields(fields);
        var rotaryBase = reader.Agreed(fields, "rope_theta", ["rotary_emb_base", "rope_theta"]) ?? DefaultBase;
        var share = reader.Agreed(fields, "partial_rotary_factor", ["rotary_pct", "partial_rotary_factor"]) ?? absentShare;
        if (share > 1) throw fields.Wrong("rotary_pct", $"is {share}; it must be above 0 and at most 1");
        return (rotaryBase, reader.ReadScaling(contextTokens), share);
    }

    /// <summary>A number with several spellings, beside and in <c>rope_parameters</c>, which may not contradict each other.</summary>
    private double? Agreed(ConfigFields fields, string newerName, string[] names)
    {
        var spelled = names.Select(name => (Name: name, Value: fields.OptionalNumber(name, above: 0)))
            .Append((Name: "rope_parameters." + newerName, Value: _newer?.OptionalNumber(newerName, above: 0)))
            .Where(item => item.Value is not null).ToList();
        foreach (var (name, value) in spelled)
            if (value != spelled[0].Value)
                throw fields.Wrong(spelled[0].Name, $"is {spelled[0].Value}, but '{name}' is {value}");
        return spelled.Count > 0 ? spelled[0].Value : null;
    }

    private RotaryScaling? ReadScaling(int contextTokens)
    {
        if ((_newer ?? _older) is not { } fields) return null;
        RotaryScaling? scaling = ReadType(fields) switch
        {
            "default" => null,
            "linear" => new RotaryScaling.Linear(ReadFactor(fields)),
            "llama3" => ReadLlama3(fields),
            "yarn" => ReadYarn(fields, contextTokens),
            var other => throw fields.Wrong("rope_type", $"is '{other}', which is not supported (supported: {Supported})"),
        };
        fields.RefuseUnread(isHarmless: _ => false, HarmlessFields.IsNeutral);
        return scaling;
    }

    private static string ReadType(ConfigFields fields)
    {
        var (older, newer) = (fields.Text("type"), fields.Text("rope_type"));
        if (older is not null && newer is not null && older != newer)
            throw fields.Wrong("type", $"is '{older}', but 'rope_type' is '{newer}'");
        return newer ?? older ?? "default";
    }

    private static double ReadFactor(ConfigFields fields)
    {
        var factor = fields.Number("factor", above: 0);
        return factor >= 1 ? factor : throw fields.Wrong("factor", $"is {factor}; it must be at least 1");
    }

    private static RotaryScaling.Llama3 ReadLlama3(ConfigFields fields)
    {
        var low = fields.Number("low_freq_factor", above: 0);
        var high = fields.Number("high_freq_factor", above: 0);
        if (high <= low) throw fields.Wrong("high_freq_factor", $"is {high}; it must be above low_freq_factor, {low}");
        var original = fields.Integer("original_max_position_embeddings", 1, ModelConfigReader.MaxContextTokens);
        return new RotaryScaling.Llama3(ReadFactor(fields), low, high, original);
    }

    private static RotaryScaling.Yarn ReadYarn(ConfigFields fields, int contextTokens)
    {
        var original = fields.OptionalInteger("original_max_position_embeddings", 1, ModelConfigReader.MaxContextTokens) ?? contextTokens;
        var factor = fields.Has("factor") ? ReadFactor(fields) : Math.Max(1, contextTokens / (double)original);
        var fast = fields.OptionalNumber("beta_fast", above: 0) ?? 32;
        var slow = fields.OptionalNumber("beta_slow", above: 0) ?? 1;
        if (fast <= slow) throw fields.Wrong("beta_fast", $"is {fast}; it must be above beta_slow, {slow}");
        var (scale, scaleAll) = (fields.OptionalNumber("mscale", above: 0), fields.OptionalNumber("mscale_all_dim", above: 0));
        var inferred = scale is null || scaleAll is null ? Magnitude(1) : Magnitude(scale.Value) / Magnitude(scaleAll.Value);
        var attention = fields.OptionalNumber("attention_factor", above: 0) ?? inferred;
        return new RotaryScaling.Yarn(factor, original, attention, fast, slow, fields.Flag("truncate", absent: true));

        double Magnitude(double weight) => 0.1 * weight * Math.Log(factor) + 1;
    }
}
