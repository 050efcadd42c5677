namespace DeRa.Chart.Tests.Rendering;

/// <summary>What gives a value in a template.</summary>
internal abstract record Expression
{
    /// <summary>A text, a number, true or false.</summary>
    public sealed record Literal(object Value) : Expression;

    /// <summary>Fields of the dot (no variable), of the root (the variable is empty) or of a variable.</summary>
    public sealed record Path(string? Variable, IReadOnlyList<string> Fields) : Expression;

    /// <summary>A function of values; what is piped into it comes last.</summary>
    public sealed record Call(string Function, IReadOnlyList<Expression> Arguments) : Expression;
}
