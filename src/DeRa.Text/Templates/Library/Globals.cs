using DeRa.Text.Templates.Values;

namespace DeRa.Text.Templates.Library;

/// <summary>The functions that every template can call.</summary>
internal static class Globals
{
    /// <summary>The sandbox's MAX_RANGE.</summary>
    private const int LongestRange = 100_000;

    public static IReadOnlyDictionary<string, FunctionValue> All { get; } = new FunctionValue[]
    {
        new("dict", Dict),
        new("namespace", Namespace),
        new("raise_exception", (run, arguments) => throw ChatTemplateException.Raised(Message(run, arguments))),
        new("range", Range),
        new("strftime_now", (run, arguments) => TimeFormat.Apply(
            Parameters.Text(arguments.Bind("strftime_now", 1, "format")[0]!, "the argument of strftime_now()"), run)),
    }.ToDictionary(function => function.Name, StringComparer.Ordinal);

    private static string Message(TemplateRun run, Arguments arguments) =>
        PythonText.Of(arguments.Bind("raise_exception", 1, "message")[0]!, run);

    private static DictValue Dict(TemplateRun run, Arguments arguments)
    {
        var dict = new DictValue();
        foreach (var (key, value) in Entries("dict", run, arguments)) dict.Set(key, value);
        return dict;
    }

    private static NamespaceValue Namespace(TemplateRun run, Arguments arguments)
    {
        var space = new NamespaceValue();
        foreach (var (key, value) in Entries("namespace", run, arguments))
            space.Attributes[Parameters.Text(key, "an attribute's name")] = value;
        return space;
    }

    /// <summary>The entries of a dict or of a list of pairs, and those given by name.</summary>
    private static IEnumerable<KeyValuePair<object, object>> Entries(string function, TemplateRun run, Arguments arguments)
    {
        if (arguments.Places.Count > 1) throw new ChatTemplateException($"{function}() takes at most 1 argument by place");
        if (arguments.Places is [DictValue dict])
        {
            run.Count(dict.Count);
            foreach (var entry in dict.Entries) yield return Counted(entry.Key, entry.Value, run);
        }
        else if (arguments.Places is [var pairs])
        {
            foreach (var pair in PythonSequence.Items(pairs, run))
                yield return PythonSequence.Items(pair, run) is [var key, var value] ? Counted(key, value, run)
                    : throw new ChatTemplateException($"{function}() needs a dict or pairs");
        }
        foreach (var (name, value) in arguments.Names)
        {
            run.Count(1);
            yield return KeyValuePair.Create<object, object>(name, value);
        }
    }

    private static KeyValuePair<object, object> Counted(object key, object value, TemplateRun run)
    {
        if (key is string text) run.CountText(text.Length);
        return KeyValuePair.Create(key, value);
    }

    private static ListValue Range(TemplateRun run, Arguments arguments)
    {
        if (arguments.Places.Count is 0 or > 3 || arguments.Names.Count > 0)
            throw new ChatTemplateException("range() takes 1 to 3 arguments, none by name");
        var numbers = arguments.Places.Select(place => (Int128)Parameters.Integer(place, "an argument of range()")).ToArray();
        var (start, stop) = numbers.Length == 1 ? (0, numbers[0]) : (numbers[0], numbers[1]);
        var step = numbers.Length == 3 ? numbers[2] : 1;
        if (step == 0) throw new ChatTemplateException("range() arg 3 must not be zero");
        var count = step > 0 ? (stop - start + step - 1) / step : (start - stop - step - 1) / -step;
        if (count > LongestRange)
            throw new ChatTemplateException($"Range too big. The sandbox blocks ranges larger than MAX_RANGE ({LongestRange}).");
        run.Count((long)Int128.Max(0, count));
        return new ListValue([.. Enumerable.Range(0, (int)Int128.Max(0, count)).Select(i => (object)(long)(start + i * step))]);
    }
}
