namespace DeRa.Text.Templates.Syntax;

/// <summary>A piece of a template's source.</summary>
/// <param name="Kind">What it is.</param>
/// <param name="Text">Text outside tags, a name, an operator, digits, or the value of a string.</param>
/// <param name="Line">Where it begins, from 1.</param>
internal readonly record struct TemplateToken(TokenKind Kind, string Text, int Line)
{
    public bool IsName(string name) => Kind == TokenKind.Name && Text == name;

    public bool IsOperator(string sign) => Kind == TokenKind.Operator && Text == sign;

    public override string ToString() => Kind switch
    {
        TokenKind.End => "the end of the template",
        TokenKind.BlockEnd => "'%}'",
        TokenKind.VariableEnd => "'}}'",
        TokenKind.Data => "text",
        _ => $"'{Text}'",
    };
}

/// <summary>What a token is.</summary>
internal enum TokenKind
{
    /// <summary>Text that is written as it stands.</summary>
    Data,

    /// <summary>Two braces, before an expression that is written.</summary>
    VariableBegin,

    /// <summary>The end of that.</summary>
    VariableEnd,

    /// <summary>A brace and a percent sign, before a statement.</summary>
    BlockBegin,

    /// <summary>The end of that.</summary>
    BlockEnd,

    /// <summary>A name or keyword.</summary>
    Name,

    /// <summary>A string literal.</summary>
    String,

    /// <summary>An integer literal.</summary>
    Integer,

    /// <summary>A float literal.</summary>
    Float,

    /// <summary>An operator or bracket.</summary>
    Operator,

    /// <summary>After the last token.</summary>
    End,
}
