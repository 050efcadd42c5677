namespace DeRa.Text.Templates.Values;

/// <summary>How much a template may do: a bound that is passed is a <see cref="ChatTemplateException"/>.</summary>
internal sealed record TemplateLimits
{
    /// <summary>Parts of the template evaluated, items of lists made, and every 64 characters read or written, together.</summary>
    public int Steps { get; init; } = 1_000_000;

    /// <summary>How deep evaluation may nest: expressions, blocks, macro calls and values within values together.</summary>
    public int Depth { get; init; } = 256;

    /// <summary>Characters of the rendered text, and of any text made on the way.</summary>
    public int Characters { get; init; } = 16 << 20;

    /// <summary>Characters of the template.</summary>
    public const int SourceCharacters = 1 << 20;

    /// <summary>How deep brackets and blocks may nest in the template.</summary>
    public const int Nesting = 100;
}
