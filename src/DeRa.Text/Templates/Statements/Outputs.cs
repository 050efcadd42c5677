using DeRa.Text.Templates.Expressions;
using DeRa.Text.Templates.Values;

namespace DeRa.Text.Templates.Statements;

/// <summary>Text outside tags.</summary>
internal sealed class TextOutput(string text, int line) : Statement(line)
{
    protected override Flow Run(Scope scope, TemplateText output)
    {
        output.Append(text);
        return Flow.Next;
    }
}

/// <summary>Writes the value of an expression.</summary>
internal sealed class ExpressionOutput(Expression expression, int line) : Statement(line)
{
    protected override Flow Run(Scope scope, TemplateText output)
    {
        output.Append(PythonText.Of(expression.Evaluate(scope), scope.Run));
        return Flow.Next;
    }
}

/// <summary>{% filter … %}: writes its content, filtered.</summary>
internal sealed class FilterBlock(FilterUse filter, Body body, int line) : Statement(line)
{
    protected override Flow Run(Scope scope, TemplateText output)
    {
        output.Append(PythonText.Of(filter.Apply(body.Capture(scope.Inner()), scope), scope.Run));
        return Flow.Next;
    }
}

/// <summary>{% call f() %}: calls f, which may call the content by the name <c>caller</c>.</summary>
internal sealed class CallBlock(Call call, Macro caller, int line) : Statement(line)
{
    protected override Flow Run(Scope scope, TemplateText output)
    {
        output.Append(PythonText.Of(call.Invoke(scope, caller.Bind(scope)), scope.Run));
        return Flow.Next;
    }
}
