using DeRa.Text.Templates.Values;

namespace DeRa.Text.Templates.Library;

/// <summary>Filters on any value.</summary>
internal static class ValueFilters
{
    public static object Default(TemplateRun run, object value, Arguments arguments)
    {
        var given = arguments.Bind("default", 0, "default_value", "boolean");
        return value is Undefined || (Parameters.Flag(given[1]) && !PythonComparison.IsTrue(value)) ? given[0] ?? "" : value;
    }

    public static object Length(TemplateRun run, object value, Arguments arguments)
    {
        arguments.BindNone("length");
        return PythonSequence.Length(value, run);
    }

    public static object Attr(TemplateRun run, object value, Arguments arguments)
    {
        var name = Parameters.Text(arguments.Bind("attr", 1, "name")[0]!, "'name' of attr()");
        return Attributes.Own(value, name) ?? Undefined.Attribute(value, name);
    }

    public static object Items(TemplateRun run, object value, Arguments arguments)
    {
        arguments.BindNone("items");
        if (value is not (DictValue or Undefined)) throw new ChatTemplateException("Can only get item pairs from a mapping.");
        IReadOnlyList<object> items = value is DictValue dict ? DictMethods.Items(dict) : [];
        run.Count(items.Count);
        return new GeneratorValue(items);
    }
}
