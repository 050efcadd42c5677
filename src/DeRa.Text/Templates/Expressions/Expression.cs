namespace DeRa.Text.Templates.Expressions;

/// <summary>A part of a template that has a value.</summary>
internal abstract class Expression(int line)
{
    /// <summary>Where it begins, from 1.</summary>
    public int Line => line;

    /// <summary>Computes the value; counts as a step.</summary>
    public object Evaluate(Scope scope)
    {
        scope.Run.Enter(line);
        var value = Compute(scope);
        scope.Run.Leave();
        return value;
    }

    protected abstract object Compute(Scope scope);
}
