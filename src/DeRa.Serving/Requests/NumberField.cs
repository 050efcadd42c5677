using DeRa.Engine.Requests;

namespace DeRa.Serving.Requests;

/// <summary>A field that is one number, checked against its range.</summary>
public sealed record NumberField : RequestField
{
    private readonly Func<FieldContext, NumberRange> _range;

    /// <summary>A field whose range depends on what is served.</summary>
    /// <param name="name">Its name on the wire.</param>
    /// <param name="range">The numbers that it takes.</param>
    /// <param name="description">What it does.</param>
    public NumberField(string name, Func<FieldContext, NumberRange> range, string description) : base(name, range, description) =>
        _range = range;

    /// <summary>A field whose range is the same whatever is served.</summary>
    /// <inheritdoc cref="NumberField(string, Func{FieldContext, NumberRange}, string)"/>
    public NumberField(string name, NumberRange range, string description) : this(name, _ => range, description) => IsWhole = range.IsWhole;

    /// <summary>Whether it is a whole number, as its range must say too.</summary>
    public bool IsWhole { get; init; }

    /// <summary>What holds where it is not set; null = nothing that could be named.</summary>
    public Func<FieldContext, double>? DefaultNumber
    {
        get;
        init
        {
            field = value;
            Default = value is null ? null : context => value(context);
        }
    }

    /// <summary>Its value in a request; null = not set.</summary>
    public required Func<GenerationInput, double?> Get { get; init; }

    /// <summary>The request with its value.</summary>
    public required Func<GenerationInput, double, GenerationInput> Set { get; init; }

    /// <summary>What the value is, for errors, where the name alone does not say; null = it does.</summary>
    public string? What { get; init; }

    /// <summary>Puts its value, checked, among the sampling parameters; null = it is none of them.</summary>
    public Func<SamplingParameters, double, SamplingParameters>? Apply { get; init; }

    /// <summary>The numbers that it takes.</summary>
    public NumberRange Range(FieldContext context) => _range(context);

    /// <summary>Its value in a request, checked.</summary>
    /// <returns>Null where it is not set and has no default.</returns>
    /// <exception cref="InvalidRequestException">It is out of range.</exception>
    public double? Checked(GenerationInput input, FieldContext context) =>
        (Get(input) ?? DefaultNumber?.Invoke(context)) is { } value ? Range(context).Check(Name, value, What) : null;

    /// <inheritdoc/>
    public override GenerationInput Read(IFieldSource source, GenerationInput input) =>
        (IsWhole ? source.Whole(this) : source.Number(this)) is { } value ? Set(input, value) : input;
}
