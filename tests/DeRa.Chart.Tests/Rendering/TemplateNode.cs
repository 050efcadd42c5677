namespace DeRa.Chart.Tests.Rendering;

/// <summary>A piece of a template.</summary>
internal abstract record TemplateNode
{
    /// <summary>What stands there as it is.</summary>
    public sealed record Text(string Value) : TemplateNode;

    /// <summary>A value's text.</summary>
    public sealed record Output(Expression Value) : TemplateNode;

    /// <summary>A variable, until the end of the block that it stands in.</summary>
    public sealed record Declaration(string Name, Expression Value) : TemplateNode;

    /// <summary>The first branch whose condition holds; the last has none.</summary>
    public sealed record If(IReadOnlyList<(Expression? Condition, IReadOnlyList<TemplateNode> Body)> Branches) : TemplateNode;

    /// <summary>The body with the value as dot, where it is not empty.</summary>
    public sealed record With(Expression Value, IReadOnlyList<TemplateNode> Body) : TemplateNode;

    /// <summary>The body for each element, which is the dot and, where they are named, the variables.</summary>
    public sealed record Range(string? Key, string? Element, Expression Value, IReadOnlyList<TemplateNode> Body) : TemplateNode;

    /// <summary>A template that <c>include</c> renders by its name.</summary>
    public sealed record Definition(string Name, IReadOnlyList<TemplateNode> Body) : TemplateNode;
}
