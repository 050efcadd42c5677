using DeRa.Text.Templates.Values;

namespace DeRa.Text.Templates.Library;

/// <summary>The methods of a list that do not change it.</summary>
internal static class ListMethods
{
    public static FunctionValue? Find(ListValue list, string name) => name switch
    {
        "count" => new FunctionValue(name, (run, arguments) => Count(list, run, arguments)),
        "index" => new FunctionValue(name, (run, arguments) => Index(list, run, arguments)),
        "copy" when !list.IsTuple => new FunctionValue(name, (_, _) => list),
        _ => null,
    };

    private static long Count(ListValue list, TemplateRun run, Arguments arguments)
    {
        var item = arguments.Bind("count", 1, "value")[0]!;
        return list.Items.Count(other => PythonComparison.AreEqual(other, item, run));
    }

    private static long Index(ListValue list, TemplateRun run, Arguments arguments)
    {
        var item = arguments.Bind("index", 1, "value")[0]!;
        for (var i = 0; i < list.Items.Count; i++)
            if (PythonComparison.AreEqual(list.Items[i], item, run)) return i;
        throw new ChatTemplateException($"{PythonText.Repr(item, run)} is not in list");
    }
}
