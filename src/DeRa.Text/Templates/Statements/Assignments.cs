using DeRa.Text.Templates.Expressions;
using DeRa.Text.Templates.Values;

namespace DeRa.Text.Templates.Statements;

/// <summary>{% set a = 1 %}.</summary>
internal sealed class Assignment(Target target, Expression value, int line) : Statement(line)
{
    protected override Flow Run(Scope scope, TemplateText output)
    {
        target.Assign(value.Evaluate(scope), scope);
        return Flow.Next;
    }
}

/// <summary>{% set a %}…{% endset %}, with filters or without.</summary>
internal sealed class BlockAssignment(Target target, FilterUse? filter, Body body, int line) : Statement(line)
{
    protected override Flow Run(Scope scope, TemplateText output)
    {
        object value = body.Capture(scope.Inner());
        target.Assign(filter?.Apply(value, scope) ?? value, scope);
        return Flow.Next;
    }
}
