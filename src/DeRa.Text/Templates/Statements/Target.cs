using DeRa.Text.Templates.Expressions;
using DeRa.Text.Templates.Values;

namespace DeRa.Text.Templates.Statements;

/// <summary>What an assignment gives a value to.</summary>
internal abstract record Target
{
    public abstract void Assign(object value, Scope scope);
}

/// <summary>A variable.</summary>
internal sealed record NameTarget(string Name) : Target
{
    public override void Assign(object value, Scope scope) => scope.Set(Name, value);
}

/// <summary>An attribute of a namespace.</summary>
internal sealed record AttributeTarget(string Owner, string Attribute) : Target
{
    public override void Assign(object value, Scope scope)
    {
        if (scope.Find(Owner) is not NamespaceValue space)
            throw new ChatTemplateException($"cannot assign attribute '{Attribute}': '{Owner}' is not a namespace object");
        space.Attributes[Attribute] = value;
    }
}

/// <summary>Several, which take the items of a list.</summary>
internal sealed record TupleTarget(IReadOnlyList<Target> Parts) : Target
{
    public override void Assign(object value, Scope scope)
    {
        var items = PythonSequence.Items(value, scope.Run);
        if (items.Count != Parts.Count)
            throw new ChatTemplateException($"{items.Count} values cannot be unpacked into {Parts.Count} names");
        for (var i = 0; i < Parts.Count; i++) Parts[i].Assign(items[i], scope);
    }
}
