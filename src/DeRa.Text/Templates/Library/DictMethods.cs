using DeRa.Text.Templates.Values;

namespace DeRa.Text.Templates.Library;

/// <summary>The methods of a dict.</summary>
internal static class DictMethods
{
    public static FunctionValue? Find(DictValue dict, string name) => name switch
    {
        "get" => new FunctionValue(name, (run, arguments) => Get(dict, run, arguments)),
        "items" => Listing(name, () => Items(dict)),
        "keys" => Listing(name, () => [.. dict.Keys]),
        "values" => Listing(name, () => [.. dict.Entries.Select(entry => entry.Value)]),
        "copy" => new FunctionValue(name, (_, _) => dict),
        _ => null,
    };

    public static IReadOnlyList<object> Items(DictValue dict) =>
        [.. dict.Entries.Select(entry => ListValue.Tuple(entry.Key, entry.Value))];

    private static object Get(DictValue dict, TemplateRun run, Arguments arguments)
    {
        var given = arguments.Bind("get", 1, "key", "default");
        return dict.TryGet(given[0]!, run, out var value) ? value : given[1] ?? None.Value;
    }

    private static FunctionValue Listing(string name, Func<IReadOnlyList<object>> list) => new(name, (run, arguments) =>
    {
        arguments.BindNone(name);
        var items = list();
        run.Count(items.Count);
        return new ListValue(items);
    });
}
