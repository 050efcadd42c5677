using DeRa.Text.Templates.Library;
using DeRa.Text.Templates.Values;

namespace DeRa.Text.Templates.Expressions;

/// <summary>The arguments of a call as they stand in the template.</summary>
internal sealed record CallArguments(
    IReadOnlyList<Expression> Places, IReadOnlyList<KeyValuePair<string, Expression>> Names, Expression? MorePlaces, Expression? MoreNames)
{
    public static readonly CallArguments None = new([], [], null, null);

    public Arguments Evaluate(Scope scope)
    {
        var places = Places.Select(place => place.Evaluate(scope)).ToList();
        var names = Names.Select(name => KeyValuePair.Create(name.Key, name.Value.Evaluate(scope))).ToList();
        if (MorePlaces is not null) places.AddRange(PythonSequence.Items(MorePlaces.Evaluate(scope), scope.Run));
        if (MoreNames is not null) names.AddRange(NamesOf(MoreNames.Evaluate(scope), scope.Run));
        return places.Count == 0 && names.Count == 0 ? Arguments.Empty : new Arguments(places, names);
    }

    private static IEnumerable<KeyValuePair<string, object>> NamesOf(object value, TemplateRun run)
    {
        if (value is not DictValue dict)
            throw new ChatTemplateException($"what stands after ** must be a dict, not {PythonType.Name(value)}");
        run.Count(dict.Count);
        return dict.Entries.Select(entry => KeyValuePair.Create(Name(entry.Key, run), entry.Value));
    }

    private static string Name(object key, TemplateRun run)
    {
        var name = Parameters.Text(key, "an argument's name");
        run.CountText(name.Length);
        return name;
    }
}

/// <summary>callee(arguments).</summary>
internal sealed class Call(Expression callee, CallArguments arguments, int line) : Expression(line)
{
    protected override object Compute(Scope scope) => Invoke(scope, null);

    /// <summary>Calls with one argument more, which a call block gives: <c>caller</c>.</summary>
    public object Invoke(Scope scope, FunctionValue? caller)
    {
        var function = callee.Evaluate(scope) switch
        {
            FunctionValue known => known,
            Undefined when callee is Variable unknown => throw new ChatTemplateException(
                $"'{unknown.Name}' is undefined (functions known here: {string.Join(", ", Globals.All.Keys)})"),
            Undefined undefined => throw undefined.Error,
            var other => throw new ChatTemplateException($"'{PythonType.Name(other)}' object is not callable"),
        };
        var given = arguments.Evaluate(scope);
        if (caller is not null) given = given with { Names = [.. given.Names, KeyValuePair.Create<string, object>("caller", caller)] };
        return function.Call(scope.Run, given);
    }
}

/// <summary>value | filter(arguments); the value of a block is put in by <see cref="Apply"/>.</summary>
internal sealed class FilterUse(Expression? value, Filter filter, CallArguments arguments, int line) : Expression(line)
{
    /// <summary>Filters another value than its own: what a block made. Of a chain, the first takes it.</summary>
    public object Apply(object block, Scope scope)
    {
        scope.Run.Enter(Line);
        var input = value is FilterUse earlier ? earlier.Apply(block, scope) : block;
        var filtered = filter(scope.Run, input, arguments.Evaluate(scope));
        scope.Run.Leave();
        return filtered;
    }

    protected override object Compute(Scope scope) => filter(scope.Run, value!.Evaluate(scope), arguments.Evaluate(scope));
}

/// <summary>value is test(arguments).</summary>
internal sealed class TestUse(Expression value, Test test, CallArguments arguments, int line) : Expression(line)
{
    protected override object Compute(Scope scope) => test(scope.Run, value.Evaluate(scope), arguments.Evaluate(scope));
}
