namespace DeRa.Torch.Models;

/// <summary>Reads rotary settings in both spellings: <c>rope_theta</c> with <c>rope_scaling</c>, and <c>rope_parameters</c>.</summary>
internal static class RotaryFields
{
    private const double DefaultBase = 10_000;

    /// <summary>The base of the frequencies and how they are scaled.</summary>
    public static (double Base, RotaryScaling? Scaling) Read(ConfigFields fields)
    {
        var outerBase = fields.OptionalNumber("rope_theta", above: 0);
        var older = fields.Object("rope_scaling");
        var newer = fields.Object("rope_parameters");
        if (newer is null) return (outerBase ?? DefaultBase, older is null ? null : ReadScaling(older));
        if (older is not null) throw fields.Wrong("rope_scaling", "stands beside 'rope_parameters'; only one of them is allowed");
        var innerBase = newer.OptionalNumber("rope_theta", above: 0);
        if (outerBase is not null && innerBase is not null && outerBase != innerBase)
            throw fields.Wrong("rope_theta", $"is {outerBase}, but 'rope_parameters.rope_theta' is {innerBase}");
        return (innerBase ?? outerBase ?? DefaultBase, ReadScaling(newer));
    }

    private static RotaryScaling? ReadScaling(ConfigFields fields)
    {
        RotaryScaling? scaling = ReadType(fields) switch
        {
            "default" => null,
            "linear" => new RotaryScaling.Linear(ReadFactor(fields)),
            "llama3" => ReadLlama3(fields),
            var other => throw fields.Wrong("rope_type", $"is '{other}', which is not supported (supported: default, linear, llama3)"),
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
}
