namespace DeRa.Text.Templates.Values;

/// <summary>Python's arithmetic on any values.</summary>
internal static class PythonOperators
{
    public static object Add(object left, object right, TemplateRun run)
    {
        switch (left, right)
        {
            case (string a, string b):
                run.Reserve((long)a.Length + b.Length);
                return a + b;
            case (ListValue a, ListValue b) when a.IsTuple == b.IsTuple:
                run.Count((long)a.Items.Count + b.Items.Count);
                return new ListValue([.. a.Items, .. b.Items], a.IsTuple);
            case (string, not Undefined):
                throw new ChatTemplateException($"can only concatenate str (not \"{PythonType.Name(right)}\") to str");
            default:
                return Numbers(left, right, "+", PythonNumber.Add);
        }
    }

    public static object Subtract(object left, object right, TemplateRun run) => Numbers(left, right, "-", PythonNumber.Subtract);

    public static object Multiply(object left, object right, TemplateRun run) => (left, right) switch
    {
        (string or ListValue, long or bool) => Repeat(left, right, run),
        (long or bool, string or ListValue) => Repeat(right, left, run),
        _ => Numbers(left, right, "*", PythonNumber.Multiply),
    };

    public static object Divide(object left, object right, TemplateRun run) => Numbers(left, right, "/", PythonNumber.Divide);

    public static object FloorDivide(object left, object right, TemplateRun run) => Numbers(left, right, "//", PythonNumber.FloorDivide);

    public static object Modulo(object left, object right, TemplateRun run) =>
        left is string format ? PercentFormat.Apply(format, right, run) : Numbers(left, right, "%", PythonNumber.Modulo);

    public static object Power(object left, object right, TemplateRun run) => Numbers(left, right, "**", PythonNumber.Power);

    /// <summary>The values' texts one after another, for the operator ~.</summary>
    public static string Concatenate(IReadOnlyList<object> values, TemplateRun run)
    {
        var texts = values.Select(value => PythonText.Of(value, run)).ToArray();
        run.Reserve(texts.Sum(text => (long)text.Length));
        return string.Concat(texts);
    }

    private static object Repeat(object sequence, object count, TemplateRun run)
    {
        PythonNumber.TryRead(count, out var number);
        var times = Math.Clamp(number.Integer, 0, int.MaxValue);
        return sequence is string text ? RepeatText(text, times, run) : RepeatList((ListValue)sequence, times, run);
    }

    private static string RepeatText(string text, long times, TemplateRun run)
    {
        run.Reserve(text.Length * times);
        return string.Concat(Enumerable.Repeat(text, text.Length == 0 ? 0 : (int)times));
    }

    private static ListValue RepeatList(ListValue list, long times, TemplateRun run)
    {
        run.Count(list.Items.Count * times);
        return list with { Items = list.Items.Count == 0 ? [] : [.. Enumerable.Repeat(list.Items, (int)times).SelectMany(items => items)] };
    }

    private static object Numbers(object left, object right, string sign, Func<PythonNumber, PythonNumber, object> apply) =>
        PythonNumber.TryRead(left, out var one) && PythonNumber.TryRead(right, out var two) ? apply(one, two)
        : throw (left as Undefined ?? right as Undefined)?.Error ?? new ChatTemplateException(
            $"unsupported operand types for {sign}: '{PythonType.Name(left)}' and '{PythonType.Name(right)}'");
}
