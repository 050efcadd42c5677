using DeRa.Text.Templates.Values;

namespace DeRa.Text.Templates.Library;

/// <summary>Filters on lists that keep their order.</summary>
internal static class SequenceFilters
{
    public static object List(TemplateRun run, object value, Arguments arguments)
    {
        arguments.BindNone("list");
        return new ListValue(PythonSequence.Items(value, run));
    }

    public static object First(TemplateRun run, object value, Arguments arguments)
    {
        arguments.BindNone("first");
        return PythonSequence.Items(value, run) is [var first, ..] ? first : new Undefined("No first item, sequence was empty.");
    }

    public static object Last(TemplateRun run, object value, Arguments arguments)
    {
        arguments.BindNone("last");
        return PythonSequence.Items(NotGenerator(value), run) is [.., var last] ? last : new Undefined("No last item, sequence was empty.");
    }

    public static object Reverse(TemplateRun run, object value, Arguments arguments)
    {
        arguments.BindNone("reverse");
        if (value is string) return PythonSequence.Slice(value, null, null, -1, run);
        return new GeneratorValue([.. PythonSequence.Items(value, run).Reverse()]);
    }

    public static object Batch(TemplateRun run, object value, Arguments arguments)
    {
        var given = arguments.Bind("batch", 1, "linecount", "fill_with");
        var size = Parameters.Integer(given[0]!, "'linecount' of batch()");
        if (size is < 1 or > int.MaxValue) throw new ChatTemplateException("'linecount' of batch() must be at least 1");
        var rows = PythonSequence.Items(value, run).Chunk((int)size).Select(row => row.ToList()).ToList();
        if (given[1] is { } fill and not None && rows.Count > 0)
        {
            run.Count(size - rows[^1].Count);
            rows[^1].AddRange(Enumerable.Repeat(fill, (int)size - rows[^1].Count));
        }
        return new GeneratorValue([.. rows.Select(row => new ListValue(row))]);
    }

    public static object Sum(TemplateRun run, object value, Arguments arguments)
    {
        var given = arguments.Bind("sum", 0, "attribute", "start");
        var sum = given[1] ?? 0L;
        foreach (var item in PythonSequence.Items(value, run))
            sum = PythonOperators.Add(sum, given[0] is { } attribute and not None ? Attributes.Follow(item, attribute, run) : item, run);
        return sum;
    }

    public static object Map(TemplateRun run, object value, Arguments arguments)
    {
        if (!PythonComparison.IsTrue(value)) return new GeneratorValue([]);
        var change = arguments.Places.Count == 0 ? ByAttribute(run, arguments) : ByFilter(run, arguments);
        return new GeneratorValue([.. PythonSequence.Items(value, run).Select(change)]);
    }

    /// <summary>A filter that keeps, or leaves out, the items that pass a test.</summary>
    public static Filter Choosing(string name, bool keep, bool byAttribute) => (run, value, arguments) =>
    {
        if (!PythonComparison.IsTrue(value)) return new GeneratorValue([]);
        var attribute = !byAttribute ? null
            : arguments.Places is [var first, ..] ? first : throw new ChatTemplateException($"{name}() lacks the attribute's name");
        var rest = byAttribute ? arguments.Skip(1) : arguments;
        var test = rest.Places is [var testName, ..] ? Tests.Find(Parameters.Text(testName, $"the test of {name}()")) : null;
        var given = rest.Skip(1);
        return new GeneratorValue([.. PythonSequence.Items(value, run).Where(item =>
        {
            var subject = attribute is null ? item : Attributes.Follow(item, attribute, run);
            return (test?.Invoke(run, subject, given) ?? PythonComparison.IsTrue(subject)) == keep;
        })]);
    };

    private static Func<object, object> ByAttribute(TemplateRun run, Arguments arguments)
    {
        var given = arguments.Bind("map", 0, "attribute", "default");
        var attribute = given[0] ?? throw new ChatTemplateException("map() needs a filter's name or 'attribute'");
        return item => Attributes.Follow(item, attribute, run, given[1] is None ? null : given[1]);
    }

    private static Func<object, object> ByFilter(TemplateRun run, Arguments arguments)
    {
        var filter = Filters.Find(Parameters.Text(arguments.Places[0], "the filter of map()"));
        var given = arguments.Skip(1);
        return item =>
        {
            run.Descend();
            var changed = filter(run, item, given);
            run.Leave();
            return changed;
        };
    }

    private static object NotGenerator(object value) => value is GeneratorValue
        ? throw new ChatTemplateException("'generator' object is not reversible") : value;
}
