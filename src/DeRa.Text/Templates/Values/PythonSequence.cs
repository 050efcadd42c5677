namespace DeRa.Text.Templates.Values;

/// <summary>Python's iteration, length, subscripts and slices. Texts are sequences of characters, not of UTF-16 units.</summary>
internal static class PythonSequence
{
    /// <summary>The items that iterating gives; of a dict its keys. Each counts as a step.</summary>
    public static IReadOnlyList<object> Items(object value, TemplateRun run)
    {
        IReadOnlyList<object> items = value switch
        {
            ListValue list => list.Items,
            GeneratorValue generator => generator.Take(),
            Undefined => [],
            DictValue dict => Counted(dict.Count, run) ?? [.. dict.Keys],
            string text => Counted(text.Length, run) ?? [.. Characters(text)],
            _ => throw new ChatTemplateException($"'{PythonType.Name(value)}' object is not iterable"),
        };
        run.Count(items.Count);
        return items;
    }

    public static long Length(object value, TemplateRun run) => value switch
    {
        string text => CharacterCount(text, run),
        ListValue list => list.Items.Count,
        DictValue dict => dict.Count,
        LoopValue loop => loop.Length,
        Undefined => 0,
        _ => throw new ChatTemplateException($"object of type '{PythonType.Name(value)}' has no len()"),
    };

    /// <summary>The item at an index, from the end where it is negative; null where there is none.</summary>
    public static object? At(object sequence, long index, TemplateRun run) => sequence switch
    {
        ListValue { Items: var items } => Place(index, items.Count) is { } at ? items[at] : null,
        string text when Place(index, CharacterCount(text, run)) is { } at =>
            IsPlain(text) ? text[at].ToString() : Characters(text).ElementAt(at),
        _ => null,
    };

    /// <summary>Python's <c>sequence[start:stop:step]</c>.</summary>
    public static object Slice(object sequence, long? start, long? stop, long step, TemplateRun run)
    {
        if (step == 0) throw new ChatTemplateException("slice step cannot be zero");
        switch (sequence)
        {
            case ListValue list:
                return new ListValue([.. Places(list.Items.Count, start, stop, step, run).Select(i => list.Items[i])], list.IsTuple);
            case string text when IsPlain(text) && step == 1:
                var (from, to) = Bounds(text.Length, start, stop);
                run.CountText(Math.Max(0, to - from));
                return from < to ? text[from..to] : "";
            case string text:
                run.Count(text.Length);
                var characters = Characters(text).ToArray();
                return string.Concat(Places(characters.Length, start, stop, step, run).Select(i => characters[i]));
            case Undefined undefined:
                throw undefined.Error;
            default:
                throw new ChatTemplateException($"'{PythonType.Name(sequence)}' object cannot be sliced");
        }
    }

    public static IEnumerable<string> Characters(string text)
    {
        for (var i = 0; i < text.Length; i++)
            yield return char.IsSurrogatePair(text, i) ? text.Substring(i++, 2) : text[i].ToString();
    }

    /// <summary>Characters, where a surrogate pair is one.</summary>
    public static long CharacterCount(ReadOnlySpan<char> text)
    {
        var count = text.Length;
        for (var i = 0; i + 1 < text.Length; i++)
            if (char.IsSurrogatePair(text[i], text[i + 1])) (count, i) = (count - 1, i + 1);
        return count;
    }

    private static int CharacterCount(string text, TemplateRun run)
    {
        run.CountText(text.Length);
        return (int)CharacterCount(text);
    }

    private static IReadOnlyList<object>? Counted(int items, TemplateRun run)
    {
        run.Count(items);
        return null;
    }

    private static bool IsPlain(string text) => !text.AsSpan().ContainsAnyInRange('\uD800', '\uDFFF');

    private static int? Place(long index, int count)
    {
        var place = index < 0 ? index + count : index;
        return place >= 0 && place < count ? (int)place : null;
    }

    private static (int From, int To) Bounds(int count, long? start, long? stop) =>
        (Bound(start ?? 0, count, 0, count), Bound(stop ?? count, count, 0, count));

    private static List<int> Places(int count, long? start, long? stop, long step, TemplateRun run)
    {
        var places = new List<int>();
        if (step > 0)
        {
            var (from, to) = Bounds(count, start, stop);
            for (long i = from; i < to; i = SaturatedSum(i, step)) Add((int)i);
        }
        else
        {
            long from = start is { } first ? Bound(first, count, -1, count - 1) : count - 1;
            long to = stop is { } last ? Bound(last, count, -1, count - 1) : -1;
            for (var i = from; i > to; i = SaturatedSum(i, step)) Add((int)i);
        }
        return places;

        void Add(int place)
        {
            run.Count(1);
            places.Add(place);
        }
    }

    private static int Bound(long index, int count, int low, int high) =>
        (int)Math.Clamp(index < 0 ? SaturatedSum(index, count) : index, low, high);

    private static long SaturatedSum(long value, long step) => (long)Int128.Clamp((Int128)value + step, long.MinValue, long.MaxValue);
}
