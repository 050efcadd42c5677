using System.Collections.Immutable;
using System.Text;

namespace DeRa.Chart.Tests.Rendering;

/// <summary>
/// Renders templates as Helm does, as far as the chart goes, but more strictly: a field that is not there is an error, and so is a map
/// that is printed.
/// </summary>
internal sealed class TemplateRenderer
{
    private readonly Dictionary<string, IReadOnlyList<TemplateNode>> _definitions = new(StringComparer.Ordinal);

    /// <summary>Remembers a template's definitions, for all others to include.</summary>
    public IReadOnlyList<TemplateNode> Add(string template)
    {
        var nodes = TemplateParser.Parse(template);
        foreach (var definition in nodes.OfType<TemplateNode.Definition>()) _definitions.Add(definition.Name, definition.Body);
        return nodes;
    }

    /// <summary>Renders a template.</summary>
    /// <param name="nodes">What <see cref="Add"/> gave.</param>
    /// <param name="root">The dot.</param>
    public string Render(IReadOnlyList<TemplateNode> nodes, object? root)
    {
        var text = new StringBuilder();
        Render(nodes, new Scope(root, ImmutableDictionary<string, object?>.Empty.Add("", root)), text);
        return text.ToString();
    }

    private void Render(IReadOnlyList<TemplateNode> nodes, Scope scope, StringBuilder text)
    {
        foreach (var node in nodes)
            if (node is TemplateNode.Declaration declared)
                scope = scope with { Variables = scope.Variables.SetItem(declared.Name, Value(declared.Value, scope)) };
            else Render(node, scope, text);
    }

    private void Render(TemplateNode node, Scope scope, StringBuilder text)
    {
        switch (node)
        {
            case TemplateNode.Text plain:
                text.Append(plain.Value);
                break;
            case TemplateNode.Output output:
                text.Append(GoText.Of(Value(output.Value, scope)));
                break;
            case TemplateNode.If choice:
                var taken = choice.Branches.FirstOrDefault(
                    branch => branch.Condition is null || GoText.IsTrue(Value(branch.Condition, scope)));
                Render(taken.Body ?? [], scope, text);
                break;
            case TemplateNode.With with:
                var value = Value(with.Value, scope);
                if (GoText.IsTrue(value)) Render(with.Body, scope with { Dot = value }, text);
                break;
            case TemplateNode.Range range:
                foreach (var (key, element) in Elements(Value(range.Value, scope)))
                    Render(range.Body, Inside(range, scope, key, element), text);
                break;
        }
    }

    private static Scope Inside(TemplateNode.Range range, Scope scope, object key, object? element)
    {
        var variables = scope.Variables;
        if (range.Key is { } name) variables = variables.SetItem(name, key);
        if (range.Element is { } named) variables = variables.SetItem(named, element);
        return new Scope(element, variables);
    }

    /// <summary>Of a map in the order of its keys.</summary>
    private static IEnumerable<(object Key, object? Element)> Elements(object? value) => value switch
    {
        IReadOnlyDictionary<string, object?> map =>
            map.OrderBy(entry => entry.Key, StringComparer.Ordinal).Select(entry => ((object)entry.Key, entry.Value)),
        IReadOnlyList<object?> list => list.Select((element, index) => ((object)(long)index, element)),
        _ => throw new TemplateException("range goes over what is neither a list nor a map."),
    };

    private object? Value(Expression expression, Scope scope) => expression switch
    {
        Expression.Literal literal => literal.Value,
        Expression.Path path => Follow(path, scope),
        Expression.Call { Function: "include" } call => Include([.. call.Arguments.Select(argument => Value(argument, scope))]),
        Expression.Call call => TemplateFunctions.Call(call.Function, [.. call.Arguments.Select(argument => Value(argument, scope))]),
        _ => throw new InvalidOperationException(expression.ToString()),
    };

    private string Include(object?[] arguments) => arguments is [string name, var dot]
        ? Render(_definitions.GetValueOrDefault(name) ?? throw new TemplateException($"include \"{name}\": there is no such template."), dot)
        : throw new TemplateException("include takes a name and a value.");

    private static object? Follow(Expression.Path path, Scope scope)
    {
        var value = path.Variable is not { } name ? scope.Dot
            : scope.Variables.TryGetValue(name, out var variable) ? variable
            : throw new TemplateException($"${name} is not declared.");
        foreach (var field in path.Fields)
            value = value is IReadOnlyDictionary<string, object?> map && map.TryGetValue(field, out var inner)
                ? inner : throw new TemplateException($"{string.Join('.', path.Fields)}: there is no '{field}'.");
        return value;
    }

    /// <summary>What the dot and the variables are; the variable without a name is the root.</summary>
    private sealed record Scope(object? Dot, ImmutableDictionary<string, object?> Variables);
}
