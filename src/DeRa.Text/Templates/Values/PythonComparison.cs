namespace DeRa.Text.Templates.Values;

/// <summary>Python's truth, equality, order and membership.</summary>
internal static class PythonComparison
{
    public static bool IsTrue(object value) => value switch
    {
        bool flag => flag,
        None or Undefined => false,
        string text => text.Length > 0,
        long number => number != 0,
        double number => number != 0,
        ListValue list => list.Items.Count > 0,
        DictValue dict => dict.Count > 0,
        _ => true,
    };

    public static bool AreEqual(object left, object right, TemplateRun run)
    {
        run.Descend();
        var equal = (left, right) switch
        {
            (string a, string b) => TextsEqual(a, b, run),
            (ListValue a, ListValue b) => ListsEqual(a, b, run),
            (DictValue a, DictValue b) => DictsEqual(a, b, run),
            (Undefined, Undefined) => true,
            _ => KeyComparer.Instance.Equals(left, right),
        };
        run.Leave();
        return equal;
    }

    /// <summary>Less than 0 where left comes first; null where neither does (not a number).</summary>
    /// <param name="left">A number, text or list.</param>
    /// <param name="right">A value of the same kind.</param>
    /// <param name="sign">The operator, for errors.</param>
    /// <param name="run">Counts the steps.</param>
    public static int? Order(object left, object right, string sign, TemplateRun run)
    {
        if (PythonNumber.TryRead(left, out var one) && PythonNumber.TryRead(right, out var two)) return PythonNumber.Compare(one, two);
        if (left is string a && right is string b)
        {
            run.CountText(Math.Min(a.Length, b.Length));
            return string.CompareOrdinal(a, b);
        }
        if (left is ListValue first && right is ListValue second && first.IsTuple == second.IsTuple)
            return OrderLists(first.Items, second.Items, sign, run);
        throw (left as Undefined ?? right as Undefined)?.Error ?? new ChatTemplateException(
            $"'{sign}' not supported between instances of '{PythonType.Name(left)}' and '{PythonType.Name(right)}'");
    }

    public static bool Contains(object container, object item, TemplateRun run)
    {
        switch (container)
        {
            case string text when item is string part:
                run.CountSearch(text, part);
                return text.Contains(part, StringComparison.Ordinal);
            case string:
                throw new ChatTemplateException($"'in <string>' requires string as left operand, not {PythonType.Name(item)}");
            case DictValue dict:
                return dict.TryGet(item, run, out _);
            case NamespaceValue or FunctionValue or None or bool or long or double:
                throw new ChatTemplateException($"argument of type '{PythonType.Name(container)}' is not iterable");
            default:
                return PythonSequence.Items(container, run).Any(other => AreEqual(other, item, run));
        }
    }

    private static bool TextsEqual(string left, string right, TemplateRun run)
    {
        if (left.Length != right.Length) return false;
        run.CountText(left.Length);
        return string.Equals(left, right, StringComparison.Ordinal);
    }

    private static bool ListsEqual(ListValue left, ListValue right, TemplateRun run)
    {
        if (left.IsTuple != right.IsTuple || left.Items.Count != right.Items.Count) return false;
        for (var i = 0; i < left.Items.Count; i++)
            if (!AreEqual(left.Items[i], right.Items[i], run)) return false;
        return true;
    }

    private static bool DictsEqual(DictValue left, DictValue right, TemplateRun run) => left.Count == right.Count
        && left.Entries.All(entry => right.TryGet(entry.Key, run, out var other) && AreEqual(entry.Value, other, run));

    private static int? OrderLists(IReadOnlyList<object> left, IReadOnlyList<object> right, string sign, TemplateRun run)
    {
        for (var i = 0; i < Math.Min(left.Count, right.Count); i++)
        {
            if (AreEqual(left[i], right[i], run)) continue;
            run.Descend();
            var order = Order(left[i], right[i], sign, run);
            run.Leave();
            return order;
        }
        return left.Count.CompareTo(right.Count);
    }
}
