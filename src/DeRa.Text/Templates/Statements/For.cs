using DeRa.Text.Templates.Expressions;
using DeRa.Text.Templates.Values;

namespace DeRa.Text.Templates.Statements;

/// <summary>{% for %}: each item has variables of its own.</summary>
internal sealed class For(
    Target target, Expression sequence, Expression? condition, Body body, Body otherwise, int line) : Statement(line)
{
    protected override Flow Run(Scope scope, TemplateText output)
    {
        var items = PythonSequence.Items(sequence.Evaluate(scope), scope.Run);
        if (condition is not null) items = [.. items.Where(item => IsWanted(item, condition, scope))];
        var loop = new LoopValue(items);
        var (flow, isDone) = (Flow.Next, false);
        for (var i = 0; i < items.Count && flow != Flow.Break; i++)
        {
            loop.Index = i;
            flow = RenderItem(items[i], loop, scope.Inner(), output);
            isDone |= flow == Flow.Next;
        }
        // Jinja takes the else also where every item ended in a break or continue.
        return isDone ? Flow.Next : otherwise.Render(scope.Inner(), output);
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
