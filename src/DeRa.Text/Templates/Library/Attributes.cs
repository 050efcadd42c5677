using DeRa.Text.Templates.Values;

namespace DeRa.Text.Templates.Library;

/// <summary>Jinja's <c>value.name</c> and <c>value[key]</c>.</summary>
internal static class Attributes
{
    /// <summary>Methods that change what they are called on: the sandbox in which Hugging Face renders refuses them.</summary>
    private static readonly HashSet<string> Changing = new(StringComparer.Ordinal)
    {
        "append", "clear", "extend", "insert", "pop", "popitem", "remove", "setdefault", "sort", "update",
    };

    /// <summary>A method or attribute, else the entry of that key.</summary>
    public static object Get(object owner, string name, TemplateRun run)
    {
        if (owner is Undefined undefined) throw undefined.Error;
        return Own(owner, name) ?? Entry(owner, name, run) ?? Undefined.Attribute(owner, name);
    }

    /// <summary>An entry, else the method or attribute of that name.</summary>
    public static object GetItem(object owner, object key, TemplateRun run)
    {
        if (owner is Undefined undefined) throw undefined.Error;
        if (key is string text) run.CountText(text.Length);
        return Entry(owner, key, run) ?? (key is string name ? Own(owner, name) : null) ?? Undefined.Element(owner, key, run);
    }

    /// <summary>Follows a path such as <c>function.name</c> or <c>0</c>, as filters take it.</summary>
    /// <param name="owner">Where the path begins.</param>
    /// <param name="path">Names or indices with dots between them, or one index.</param>
    /// <param name="run">Counts the steps.</param>
    /// <param name="otherwise">Taken for each part that is not there; null = nothing is.</param>
    public static object Follow(object owner, object path, TemplateRun run, object? otherwise = null)
    {
        if (path is not string names) return Step(owner, path);
        run.CountText(names.Length);
        foreach (var part in names.Split('.'))
            owner = Step(owner, long.TryParse(part, out var index) && part.All(char.IsAsciiDigit) ? index : part);
        return owner;

        object Step(object from, object key)
        {
            run.Count(1);
            return GetItem(from, key, run) is var found && found is Undefined ? otherwise ?? found : found;
        }
    }

    private static object? Entry(object owner, object key, TemplateRun run) => (owner, key) switch
    {
        (DictValue dict, string or bool or long or double or None) => dict.TryGet(key, run, out var value) ? value : null,
        (_, long index) => PythonSequence.At(owner, index, run),
        (_, bool flag) => PythonSequence.At(owner, flag ? 1 : 0, run),
        _ => null,
    };

    /// <summary>A method or attribute of the value itself; null where it has none of that name.</summary>
    public static object? Own(object owner, string name) => owner switch
    {
        string text => StringMethods.Find(text, name),
        DictValue dict => (object?)DictMethods.Find(dict, name) ?? Refused(owner, name),
        ListValue list => (object?)ListMethods.Find(list, name) ?? Refused(owner, name),
        NamespaceValue space => space.Attributes.GetValueOrDefault(name),
        LoopValue loop => loop.Attribute(name),
        FunctionValue function when name == "name" => function.Name,
        _ => null,
    };

    private static Undefined? Refused(object owner, string name)
    {
        var has = owner is DictValue ? name is "clear" or "pop" or "popitem" or "setdefault" or "update"
            : Changing.Contains(name) && owner is ListValue { IsTuple: false } && name is not ("popitem" or "setdefault" or "update");
        return has ? new Undefined($"'{name}' of a {PythonType.Name(owner)} would change it, which templates may not") : null;
    }
}
