using DeRa.Text.Templates.Statements;
using DeRa.Text.Templates.Values;

namespace DeRa.Text.Templates.Syntax;

/// <summary>Reads what assignments and loops give values to.</summary>
internal sealed class TargetParser(TokenReader tokens)
{
    private static readonly HashSet<string> Keywords = new(StringComparer.Ordinal) { "true", "false", "none", "True", "False", "None" };

    /// <summary>A name, or several with commas between them.</summary>
    /// <param name="withAttributes">Whether <c>namespace.attribute</c> may stand there.</param>
    public Target Read(bool withAttributes = false)
    {
        var parts = new List<Target> { One(withAttributes) };
        if (!tokens.AtOperator(",")) return parts[0];
        while (tokens.TakeIfOperator(","))
            if ((tokens.Current.Kind == TokenKind.Name && !tokens.Current.IsName("in")) || tokens.AtOperator("("))
                parts.Add(One(withAttributes));
        return new TupleTarget(parts);
    }

    private Target One(bool withAttributes)
    {
        if (tokens.TakeIfOperator("(")) return InParentheses(withAttributes);
        var name = tokens.Expect(TokenKind.Name, "a variable's name");
        if (Keywords.Contains(name.Text)) throw new ChatTemplateException($"'{name.Text}' cannot be assigned to", name.Line);
        return withAttributes && tokens.TakeIfOperator(".")
            ? new AttributeTarget(name.Text, tokens.Expect(TokenKind.Name, "an attribute's name").Text)
            : new NameTarget(name.Text);
    }

    private Target InParentheses(bool withAttributes)
    {
        tokens.Descend();
        var target = Read(withAttributes);
        tokens.Ascend();
        tokens.ExpectOperator(")");
        return target;
    }
}
