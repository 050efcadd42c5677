using DeRa.Text.Templates.Expressions;
using DeRa.Text.Templates.Values;

namespace DeRa.Text.Templates.Statements;

/// <summary>A part of a template that writes text or sets variables.</summary>
internal abstract class Statement(int line)
{
    /// <summary>Does what it says; counts as a step.</summary>
    public Flow Render(Scope scope, TemplateText output)
    {
        scope.Run.Enter(line);
        var flow = Run(scope, output);
        scope.Run.Leave();
        return flow;
    }

    protected abstract Flow Run(Scope scope, TemplateText output);
}

/// <summary>What to do after a statement.</summary>
internal enum Flow
{
    /// <summary>The next statement.</summary>
    Next,

    /// <summary>Leave the loop.</summary>
    Break,

    /// <summary>Go on with the loop's next item.</summary>
    Continue,
}
