using DeRa.Engine.Text.Templates.Expressions;
using DeRa.Engine.Text.Templates.Values;

namespace DeRa.Engine.Text.Templates.Statements;

/// <summary>{% for %}: each item has variables of its own.</summary>
internal sealed class For(
    Target target, Expression sequence, Expression? condition, Body body, Body otherwise, int line) : Statement(line)
{
    protected override Flow Run(Scope scope, TemplateText output)
    {
        var items = PythonSequence.Items(sequence.Evaluate(scope), scope.Run);
        if (condition is not null) items = [.. items.Where(item => IsWanted(item, condition, scope))];
        if (items.Count == 0) return otherwise.Render(scope.Inner(), output);
        var loop = new LoopValue(items);
        for (var i = 0; i < items.Count; i++)
        {
            loop.Index = i;
            if (RenderItem(items[i], loop, scope.Inner(), output) == Flow.Break) break;
        }
        return Flow.Next;
    }

    private Flow RenderItem(object item, LoopValue loop, Scope scope, TemplateText output)
    {
        scope.Set("loop", loop);
        target.Assign(item, scope);
        return body.Render(scope, output);
    }

    private bool IsWanted(object item, Expression wanted, Scope scope)
    {
        var inner = scope.Inner();
        target.Assign(item, inner);
        return PythonComparison.IsTrue(wanted.Evaluate(inner));
    }
}
