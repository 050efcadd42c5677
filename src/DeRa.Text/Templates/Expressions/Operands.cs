using DeRa.Text.Templates.Values;

namespace DeRa.Text.Templates.Expressions;

/// <summary>A literal.</summary>
internal sealed class Constant(object value, int line) : Expression(line)
{
    protected override object Compute(Scope scope) => value;
}

/// <summary>A variable.</summary>
internal sealed class Variable(string name, int line) : Expression(line)
{
    public string Name => name;

    protected override object Compute(Scope scope) => scope.Find(name) ?? Undefined.Name(name);
}

/// <summary>[a, b] or (a, b).</summary>
internal sealed class Listing(IReadOnlyList<Expression> items, bool isTuple, int line) : Expression(line)
{
    public IReadOnlyList<Expression> Items => items;

    public bool IsTuple => isTuple;

    protected override object Compute(Scope scope) => new ListValue([.. items.Select(item => item.Evaluate(scope))], isTuple);
}

/// <summary>{key: value}.</summary>
internal sealed class Mapping(IReadOnlyList<KeyValuePair<Expression, Expression>> entries, int line) : Expression(line)
{
    protected override object Compute(Scope scope)
    {
        var dict = new DictValue();
        foreach (var (key, value) in entries)
        {
            var its = key.Evaluate(scope);
            if (its is string text) scope.Run.CountText(text.Length);
            dict.Set(its, value.Evaluate(scope));
        }
        return dict;
    }
}
