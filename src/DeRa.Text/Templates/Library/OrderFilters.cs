using DeRa.Text.Templates.Values;

namespace DeRa.Text.Templates.Library;

/// <summary>Filters that compare items; unless asked otherwise, texts without regard to case.</summary>
internal static class OrderFilters
{
    public static object Sort(TemplateRun run, object value, Arguments arguments)
    {
        var given = arguments.Bind("sort", 0, "reverse", "case_sensitive", "attribute");
        return new ListValue(Sorted(PythonSequence.Items(value, run), SortKey(given[2], given[1], run), Parameters.Flag(given[0]), run));
    }

    public static object DictSort(TemplateRun run, object value, Arguments arguments)
    {
        var given = arguments.Bind("dictsort", 0, "case_sensitive", "by", "reverse");
        if (value is not DictValue dict) throw new ChatTemplateException($"dictsort needs a dict, not {PythonType.Name(value)}");
        run.Count(dict.Count);
        var place = Parameters.OptionalText(given[1], "'by' of dictsort()") switch
        {
            null or "key" => 0L,
            "value" => 1L,
            _ => throw new ChatTemplateException("You can only sort by either \"key\" or \"value\""),
        };
        return new ListValue(Sorted(DictMethods.Items(dict), Key(place, given[0], run), Parameters.Flag(given[2]), run));
    }

    public static object Unique(TemplateRun run, object value, Arguments arguments)
    {
        var given = arguments.Bind("unique", 0, "case_sensitive", "attribute");
        var key = Key(given[1], given[0], run);
        var seen = new DictValue();
        var items = new List<object>();
        foreach (var item in PythonSequence.Items(value, run))
        {
            var its = key(item);
            if (seen.TryGet(its, run, out _)) continue;
            seen.Set(its, None.Value);
            items.Add(item);
        }
        return new GeneratorValue(items);
    }

    public static object Max(TemplateRun run, object value, Arguments arguments) => Extreme("max", ">", run, value, arguments);

    public static object Min(TemplateRun run, object value, Arguments arguments) => Extreme("min", "<", run, value, arguments);

    private static object Extreme(string name, string sign, TemplateRun run, object value, Arguments arguments)
    {
        var given = arguments.Bind(name, 0, "case_sensitive", "attribute");
        var key = Key(given[1], given[0], run);
        var items = PythonSequence.Items(value, run);
        if (items.Count == 0) return new Undefined("No aggregated item, sequence was empty.");
        var (best, itsKey) = (items[0], key(items[0]));
        foreach (var item in items.Skip(1))
        {
            var other = key(item);
            if (PythonComparison.Order(other, itsKey, sign, run) is { } order && (sign == ">" ? order > 0 : order < 0))
                (best, itsKey) = (item, other);
        }
        return best;
    }

    /// <summary>The items' values of one or several attributes, as a list: equal ones need no order then.</summary>
    private static Func<object, object> SortKey(object? attributes, object? caseSensitive, TemplateRun run)
    {
        object?[] names = attributes is string several ? several.Split(',') : [attributes];
        run.Count(names.Length);
        var keys = Array.ConvertAll(names, name => Key(name, caseSensitive, run));
        return item => new ListValue([.. keys.Select(key => key(item))]);
    }

    private static Func<object, object> Key(object? attribute, object? caseSensitive, TemplateRun run)
    {
        var exact = Parameters.Flag(caseSensitive);
        object Fold(object item)
        {
            if (exact || item is not string text) return item;
            run.CountText(text.Length);
            return text.ToLowerInvariant();
        }

        if (attribute is null or None) return Fold;
        return item => Fold(Attributes.Follow(item, attribute, run));
    }

    private static List<object> Sorted(IReadOnlyList<object> items, Func<object, object> key, bool descending, TemplateRun run)
    {
        var comparer = Comparer<object>.Create((left, right) => PythonComparison.Order(left, right, "<", run)
            ?? throw new ChatTemplateException("nan has no place in an order"));
        try
        {
            return [.. descending ? items.OrderByDescending(key, comparer) : items.OrderBy(key, comparer)];
        }
        catch (InvalidOperationException error) when (error.InnerException is ChatTemplateException inner)
        {
            throw inner;
        }
    }
}
