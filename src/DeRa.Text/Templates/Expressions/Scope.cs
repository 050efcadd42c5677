using DeRa.Text.Templates.Values;

namespace DeRa.Text.Templates.Expressions;

/// <summary>The variables that a part of the template sees: its own, else those around it.</summary>
internal sealed class Scope(Scope? around, TemplateRun run)
{
    private Dictionary<string, object>? _names;

    public TemplateRun Run => run;

    public object? Find(string name)
    {
        for (var scope = this; scope is not null; scope = scope.Around)
            if (scope._names is { } names && names.TryGetValue(name, out var value)) return value;
        return null;
    }

    public void Set(string name, object value) => (_names ??= new Dictionary<string, object>(StringComparer.Ordinal))[name] = value;

    public Scope Inner() => new(this, run);

    private Scope? Around => around;
}
