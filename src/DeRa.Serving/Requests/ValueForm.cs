namespace DeRa.Serving.Requests;

/// <summary>What values a field takes. The validator's checks, the errors and the API reference are made from it.</summary>
public abstract record ValueForm
{
    /// <summary>Which whole numbers it takes, for errors: <c>a whole number from 1 to 128</c>; null where it takes none.</summary>
    public virtual string? WholeNumbers => null;
}

/// <summary>A whole number of 64 bits.</summary>
public sealed record LongForm : ValueForm
{
    /// <inheritdoc/>
    public override string WholeNumbers => "a whole number of 64 bits";
}

/// <summary>True or false.</summary>
public sealed record FlagForm : ValueForm;

/// <summary>A text.</summary>
/// <param name="LeastBytes">Its least length in UTF-8; null = 0.</param>
/// <param name="MostBytes">Its greatest length in UTF-8; null = any.</param>
public sealed record TextForm(int? LeastBytes = null, int? MostBytes = null) : ValueForm;

/// <summary>One of some words.</summary>
/// <param name="Words">At least one.</param>
public sealed record WordForm(IReadOnlyList<string> Words) : ValueForm;

/// <summary>A list.</summary>
/// <param name="Items">What its items may be.</param>
/// <param name="Most">How many there may be; null = any number.</param>
/// <param name="Least">How many there must be; null = none.</param>
public sealed record ListForm(ValueForm Items, int? Most = null, int? Least = null) : ValueForm
{
    /// <inheritdoc/>
    public override string? WholeNumbers => Items.WholeNumbers;
}

/// <summary>A map with any names.</summary>
/// <param name="Values">What its values may be, null beside; null = anything.</param>
/// <param name="Most">How many entries there may be.</param>
/// <param name="HasTokenIds">Whether the names are token ids.</param>
public sealed record MapForm(ValueForm? Values, int Most, bool HasTokenIds = false) : ValueForm;

/// <summary>An object with these fields and no others; each that is not required may be null or left out.</summary>
/// <param name="Fields">Their names and what they may be.</param>
public sealed record ObjectForm(IReadOnlyList<(string Name, ValueForm Form)> Fields) : ValueForm
{
    /// <summary>The names of those that are required.</summary>
    public IReadOnlyList<string> Required { get; init; } = [];
}

/// <summary>A message of a conversation.</summary>
public sealed record MessageForm : ValueForm;

/// <summary>One of several.</summary>
/// <param name="Forms">What it may be.</param>
public sealed record AnyForm(params IReadOnlyList<ValueForm> Forms) : ValueForm
{
    /// <inheritdoc/>
    public override string? WholeNumbers =>
        string.Join(" or ", Forms.Select(form => form.WholeNumbers).OfType<string>().Distinct()) is { Length: > 0 } text ? text : null;
}
