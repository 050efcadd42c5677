namespace DeRa.Torch.Configuration;

/// <summary>
/// Reads rotary settings in both forms, <c>rope_theta</c> with <c>rope_scaling</c>, and <c>rope_parameters</c>; both may be given
/// where they agree.
/// </summary>
internal sealed class RotaryFields
{
    private const double DefaultBase = 10_000;
    private const string Older = "rope_scaling", Newer = "rope_parameters", Original = "original_max_position_embeddings";
    private const string Supported = "default, linear, llama3, yarn";
    private readonly ConfigFields _fields;
    private readonly ConfigFields? _older, _newer;
    private readonly int _positions;

    /// <summary>Reads them.</summary>
    /// <param name="fields">A configuration.</param>
    /// <param name="positions">Its <c>max_position_embeddings</c>.</param>
    /// <param name="defaultShare">
    /// The share of each head's dimensions that are rotated where none is given; null = the family has no such field and rotates all.
    /// </param>
    public RotaryFields(ConfigFields fields, int positions, double? defaultShare = null)
    {
        (_fields, _positions) = (fields, positions);
        (_older, _newer) = (fields.Object(Older), fields.Object(Newer));
        // In most families the second name only repeats the first: alone, Hugging Face's classes would ignore it.
        var isBaseAlone = defaultShare is null && !fields.Has("rope_theta");
        Base = (isBaseAlone ? Agreed("rope_theta") : Agreed("rope_theta", "rotary_emb_base", "rope_theta")) ?? DefaultBase;
        Share = defaultShare is null ? 1 : Agreed("partial_rotary_factor", "rotary_pct", "partial_rotary_factor") ?? defaultShare.Value;
        if (Share > 1) throw fields.Invalid("rotary_pct", $"is {Share}; it must be above 0 and at most 1");
        OriginalTokens = fields.OptionalInteger(Original, 1, ConfigLimits.MaxContextTokens);
        (Scaling, ContextTokens) = ReadScaling();
    }

    /// <summary>The base of the frequencies (θ).</summary>
    public double Base { get; }

    /// <summary>How they are scaled; null where they are not.</summary>
    public RotaryScaling? Scaling { get; }

    /// <summary>The share of each head's dimensions that are rotated, (0, 1].</summary>
    public double Share { get; }

    /// <summary>
    /// The longest context in tokens. <c>linear</c> and <c>yarn</c> stretch the original context by their factor, whatever
    /// <c>max_position_embeddings</c> says; with <c>llama3</c> that field is the stretched context already.
    /// </summary>
    public int ContextTokens { get; }

    /// <summary>The original context, where it is given beside the scaling object.</summary>
    private int? OriginalTokens { get; }

    /// <summary>A number that may be given under several names, beside and in both objects, which must agree.</summary>
    private double? Agreed(string innerName, params string[] names) => _fields.Agreed<double?>([
        .. names.Select(name => (name, _fields.OptionalNumber(name, above: 0))),
        ($"{Older}.{innerName}", _older?.OptionalNumber(innerName, above: 0)),
        ($"{Newer}.{innerName}", _newer?.OptionalNumber(innerName, above: 0))]);

    private (RotaryScaling? Scaling, int ContextTokens) ReadScaling()
    {
        var (older, newer) = (ReadScaling(_older, Older), ReadScaling(_newer, Newer));
        if (older is { } first && newer is { } second && first != second)
            throw _fields.Invalid(
                Older, $"is {_fields.Excerpt(Older)}, but '{Newer}' is {_fields.Excerpt(Newer)}; what is given twice must be the same");
        return older ?? newer ?? (null, _positions);
    }

    /// <summary>The scaling in one of the two objects; null where it is absent or has none.</summary>
    private (RotaryScaling? Scaling, int ContextTokens)? ReadScaling(ConfigFields? fields, string name)
    {
        if (fields is null) return null;
        var type = fields.Agreed(("rope_type", fields.String("rope_type")), ("type", fields.String("type")));
        var original = _fields.Agreed(
            (Original, OriginalTokens), ($"{name}.{Original}", fields.OptionalInteger(Original, 1, ConfigLimits.MaxContextTokens)));
        (RotaryScaling?, int) scaling = type switch
        {
            null or "default" => (null, _positions),
            "linear" => ReadLinear(fields, original),
            "llama3" => (ReadLlama3(fields, original), _positions),
            "yarn" => ReadYarn(fields, original),
            var other => throw fields.Invalid("rope_type", $"is '{other}', which is not supported (supported: {Supported})"),
        };
        fields.RefuseUnread(isIgnored: _ => false, IgnoredFields.IsNeutral);
        return type is null ? null : scaling;
    }

    private static double ReadFactor(ConfigFields fields)
    {
        var factor = fields.Number("factor", above: 0);
        return factor >= 1 ? factor : throw fields.Invalid("factor", $"is {factor}; it must be at least 1");
    }

    private (RotaryScaling, int) ReadLinear(ConfigFields fields, int? original)
    {
        var factor = ReadFactor(fields);
        // What LongChat's code read before rope_scaling existed.
        if (_fields.OptionalNumber("rope_condense_ratio", above: 0) is { } ratio && ratio != factor)
            throw fields.Invalid("factor", $"is {factor}, but 'rope_condense_ratio' is {ratio}; what is given twice must be the same");
        return (new RotaryScaling.Linear(factor), Stretched(fields, original ?? _positions, factor));
    }

    private static RotaryScaling.Llama3 ReadLlama3(ConfigFields fields, int? original)
    {
        var low = fields.Number("low_freq_factor", above: 0);
        var high = fields.Number("high_freq_factor", above: 0);
        if (high <= low) throw fields.Invalid("high_freq_factor", $"is {high}; it must be above low_freq_factor, {low}");
        return new RotaryScaling.Llama3(
            ReadFactor(fields), low, high, original ?? fields.Integer(Original, 1, ConfigLimits.MaxContextTokens));
    }

    private (RotaryScaling, int) ReadYarn(ConfigFields fields, int? given)
    {
        var original = given ?? _positions;
        var factor = fields.Has("factor") ? ReadFactor(fields) : Math.Max(1, _positions / (double)original);
        var fast = fields.OptionalNumber("beta_fast", above: 0) ?? 32;
        var slow = fields.OptionalNumber("beta_slow", above: 0) ?? 1;
        if (fast <= slow) throw fields.Invalid("beta_fast", $"is {fast}; it must be above beta_slow, {slow}");
        var (scale, scaleAll) = (fields.OptionalNumber("mscale", above: 0), fields.OptionalNumber("mscale_all_dim", above: 0));
        var inferred = scale is null || scaleAll is null ? Magnitude(1) : Magnitude(scale.Value) / Magnitude(scaleAll.Value);
        var attention = fields.OptionalNumber("attention_factor", above: 0) ?? inferred;
        var yarn = new RotaryScaling.Yarn(factor, original, attention, fast, slow, fields.Flag("truncate", defaultValue: true));
        return (yarn, Stretched(fields, original, factor));

        double Magnitude(double weight) => 0.1 * weight * Math.Log(factor) + 1;
    }

    private static int Stretched(ConfigFields fields, int original, double factor)
    {
        // Rounded: the factor may itself be the quotient of two contexts.
        var tokens = Math.Round(original * factor);
        return tokens <= ConfigLimits.MaxContextTokens ? (int)tokens : throw fields.Invalid("factor",
            $"is {factor}, which makes {original} tokens more than {ConfigLimits.MaxContextTokens}, the longest context");
    }
}
