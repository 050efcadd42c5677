using DeRa.Text.Templates.Expressions;
using DeRa.Text.Templates.Values;

namespace DeRa.Text.Templates.Statements;

/// <summary>{% if %} with its {% elif %}s and {% else %}.</summary>
internal sealed class If(IReadOnlyList<KeyValuePair<Expression, Body>> branches, Body otherwise, int line) : Statement(line)
{
    protected override Flow Run(Scope scope, TemplateText output)
    {
        foreach (var (condition, body) in branches)
            if (PythonComparison.IsTrue(condition.Evaluate(scope))) return body.Render(scope, output);
        return otherwise.Render(scope, output);
    }
}

/// <summary>{% break %} or {% continue %}.</summary>
internal sealed class Jump(Flow flow, int line) : Statement(line)
{
    protected override Flow Run(Scope scope, TemplateText output) => flow;
}

/// <summary>{% generation %}, which marks the assistant's turns for training, or any block that only has variables of its own.</summary>
internal sealed class Scoped(Body body, bool ownVariables, int line) : Statement(line)
{
    protected override Flow Run(Scope scope, TemplateText output) => body.Render(ownVariables ? scope.Inner() : scope, output);
}

/// <summary>{% with a = 1 %}.</summary>
internal sealed class With(IReadOnlyList<KeyValuePair<Target, Expression>> variables, Body body, int line) : Statement(line)
{
    protected override Flow Run(Scope scope, TemplateText output)
    {
        var inner = scope.Inner();
        foreach (var (target, value) in variables) target.Assign(value.Evaluate(scope), inner);
        return body.Render(inner, output);
    }
}
