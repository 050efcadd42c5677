namespace DeRa.Torch.Configuration;

/// <summary>The heads of a layer's attention, by the field names of Llama and its relatives.</summary>
/// <param name="Heads">Query heads; a multiple of <paramref name="KeyValueHeads"/>.</param>
/// <param name="KeyValueHeads">Key and value heads.</param>
/// <param name="Dimension">Width of one head; even.</param>
internal sealed record HeadFields(int Heads, int KeyValueHeads, int Dimension)
{
    /// <summary>Reads them.</summary>
    /// <param name="fields">A configuration.</param>
    /// <param name="hiddenSize">Width of the residual stream.</param>
    /// <param name="needsKeyValueHeads">
    /// Whether <c>num_key_value_heads</c> is required, because Hugging Face's default is a fixed number.
    /// </param>
    /// <param name="defaultDimension">What Hugging Face assumes where <c>head_dim</c> is absent; null = hidden size / heads.</param>
    public static HeadFields Read(ConfigFields fields, int hiddenSize, bool needsKeyValueHeads, int? defaultDimension)
    {
        var heads = fields.Integer("num_attention_heads", 1, ConfigLimits.MaxWidth);
        // Llama files from before grouped-query attention lack the field.
        var keyValueHeads = needsKeyValueHeads
            ? fields.Integer("num_key_value_heads", 1, ConfigLimits.MaxWidth)
            : fields.OptionalInteger("num_key_value_heads", 1, ConfigLimits.MaxWidth) ?? heads;
        if (heads % keyValueHeads != 0)
            throw fields.Invalid("num_key_value_heads", $"is {keyValueHeads}; it must divide num_attention_heads, {heads}");
        var dimension = fields.OptionalInteger("head_dim", 2, ConfigLimits.MaxWidth) ?? defaultDimension
            ?? Share(fields, "num_attention_heads", heads, "hidden_size", hiddenSize, "without 'head_dim' ");
        return dimension % 2 == 0
            ? new HeadFields(heads, keyValueHeads, dimension)
            : throw fields.Invalid("head_dim", $"is {dimension}; it must be even for rotary positions");
    }

    /// <summary>The width of one of several heads that divide a width evenly.</summary>
    /// <remarks>Where <c>head_dim</c> is given too, it must agree.</remarks>
    public static int Share(ConfigFields fields, string headsName, int heads, string widthName, int width, string condition = "")
    {
        if (width % heads != 0) throw fields.Invalid(headsName, $"is {heads}; {condition}it must divide {widthName}, {width}");
        var given = fields.OptionalInteger("head_dim", 1, ConfigLimits.MaxWidth);
        return fields.Agreed<int?>(("head_dim", given), ($"{widthName} / {headsName}", width / heads))!.Value;
    }
}
