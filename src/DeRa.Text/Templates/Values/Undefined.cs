namespace DeRa.Text.Templates.Values;

/// <summary>What a name or attribute that is not there gives: empty and false, but nothing can be done with it.</summary>
/// <param name="reason">The error of whoever tries.</param>
internal sealed class Undefined(string reason)
{
    public ChatTemplateException Error => new(reason);

    public static Undefined Name(string name) => new($"'{name}' is undefined");

    public static Undefined Attribute(object owner, string name) => new($"'{Owner(owner)}' has no attribute '{name}'");

    public static Undefined Element(object owner, object key, TemplateRun run) => key is string name
        ? Attribute(owner, name)
        : new Undefined($"{Owner(owner)} has no element {PythonText.Repr(key, run)}");

    private static string Owner(object owner) => owner is None ? "None" : PythonType.Name(owner) + " object";
}

/// <summary>Python's <c>None</c>: no C# null is ever a value.</summary>
internal sealed class None
{
    public static readonly None Value = new();

    private None()
    {
    }
}
