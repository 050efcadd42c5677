using DeRa.Text.Templates.Expressions;
using DeRa.Text.Templates.Values;

namespace DeRa.Text.Templates.Statements;

/// <summary>Statements in their order.</summary>
internal sealed record Body(IReadOnlyList<Statement> Statements)
{
    public static readonly Body Empty = new([]);

    public Flow Render(Scope scope, TemplateText output)
    {
        foreach (var statement in Statements)
            if (statement.Render(scope, output) is var flow and not Flow.Next) return flow;
        return Flow.Next;
    }

    /// <summary>Renders to a text of its own, with variables of its own.</summary>
    public string Capture(Scope scope)
    {
        var text = new TemplateText(scope.Run);
        Render(scope, text);
        return text.ToString();
    }
}
