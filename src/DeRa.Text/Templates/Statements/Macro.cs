using DeRa.Text.Templates.Expressions;
using DeRa.Text.Templates.Values;

namespace DeRa.Text.Templates.Statements;

/// <summary>A macro, or the content of a call block.</summary>
/// <param name="Name">What calls it; <c>caller</c> for a call block.</param>
/// <param name="Parameters">The parameters, each with its default where it has one.</param>
/// <param name="Body">What it renders.</param>
/// <param name="Names">Every name that stands in the body: <c>varargs</c>, <c>kwargs</c> and <c>caller</c> are given where they do.</param>
internal sealed record Macro(
    string Name, IReadOnlyList<KeyValuePair<string, Expression?>> Parameters, Body Body, IReadOnlySet<string> Names)
{
    /// <summary>The macro as a function that sees the variables of the place where it stands.</summary>
    public FunctionValue Bind(Scope scope) => new(Name, (run, arguments) =>
    {
        var inner = scope.Inner();
        run.Count(Parameters.Count);
        Assign(arguments, inner);
        run.Descend();
        var text = Body.Capture(inner);
        run.Leave();
        return text;
    });

    private void Assign(Arguments arguments, Scope inner)
    {
        var named = new Dictionary<string, object>(StringComparer.Ordinal);
        foreach (var (name, value) in arguments.Names)
            if (!named.TryAdd(name, value)) throw Twice(name);
        for (var i = 0; i < Parameters.Count; i++) inner.Set(Parameters[i].Key, Value(i, arguments, named, inner));
        named.Remove("caller", out var caller);
        if (Names.Contains("caller")) inner.Set("caller", caller ?? Undefined.Name("caller"));
        AssignMore("varargs", arguments.Places.Count > Parameters.Count, inner,
            () => new ListValue([.. arguments.Places.Skip(Parameters.Count)], IsTuple: true));
        AssignMore("kwargs", named.Count > 0, inner, () => Dict(named));
    }

    private object Value(int place, Arguments arguments, Dictionary<string, object> named, Scope inner)
    {
        var (name, otherwise) = Parameters[place];
        var isNamed = named.Remove(name, out var value);
        if (place >= arguments.Places.Count)
            return isNamed ? value! : otherwise?.Evaluate(inner) ?? new Undefined($"parameter '{name}' was not provided");
        return isNamed ? throw Twice(name) : arguments.Places[place];
    }

    private ChatTemplateException Twice(string name) => new($"macro '{Name}' got the argument '{name}' twice");

    private void AssignMore(string name, bool given, Scope inner, Func<object> value)
    {
        if (Names.Contains(name)) inner.Set(name, value());
        else if (given)
            throw new ChatTemplateException(
                $"macro '{Name}' takes only the arguments ({string.Join(", ", Parameters.Select(p => p.Key))})");
    }

    private static DictValue Dict(Dictionary<string, object> named)
    {
        var dict = new DictValue();
        foreach (var (name, value) in named) dict.Set(name, value);
        return dict;
    }
}

/// <summary>{% macro %}.</summary>
internal sealed class MacroDefinition(Macro macro, int line) : Statement(line)
{
    protected override Flow Run(Scope scope, TemplateText output)
    {
        scope.Set(macro.Name, macro.Bind(scope));
        return Flow.Next;
    }
}
