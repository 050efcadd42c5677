using DeRa.Text.Templates.Library;
using DeRa.Text.Templates.Values;

namespace DeRa.Text.Templates.Expressions;

/// <summary>owner.name.</summary>
internal sealed class AttributeAccess(Expression owner, string name, int line) : Expression(line)
{
    protected override object Compute(Scope scope) => Attributes.Get(owner.Evaluate(scope), name, scope.Run);
}

/// <summary>owner[key].</summary>
internal sealed class ItemAccess(Expression owner, Expression key, int line) : Expression(line)
{
    protected override object Compute(Scope scope) => Attributes.GetItem(owner.Evaluate(scope), key.Evaluate(scope), scope.Run);
}

/// <summary>owner[start:stop:step].</summary>
internal sealed class SliceAccess(Expression owner, Expression? start, Expression? stop, Expression? step, int line) : Expression(line)
{
    protected override object Compute(Scope scope)
    {
        var sequence = owner.Evaluate(scope);
        return PythonSequence.Slice(sequence, Place(start, scope), Place(stop, scope), Place(step, scope) ?? 1, scope.Run);
    }

    private static long? Place(Expression? place, Scope scope) =>
        place is null ? null : Parameters.OptionalInteger(place.Evaluate(scope), "a slice index");
}
