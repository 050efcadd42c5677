namespace DeRa.Text.Templates.Values;

/// <summary>The variable <c>loop</c> of a for statement.</summary>
internal sealed class LoopValue(IReadOnlyList<object> items)
{
    private ListValue? _lastChecked;

    public int Length => items.Count;

    /// <summary>The item at hand, from 0.</summary>
    public int Index { get; set; }

    /// <summary>The attribute of that name; null where there is none.</summary>
    public object? Attribute(string name) => name switch
    {
        "index" => Index + 1L,
        "index0" => (long)Index,
        "revindex" => (long)Length - Index,
        "revindex0" => Length - Index - 1L,
        "first" => Index == 0,
        "last" => Index == Length - 1,
        "length" => (long)Length,
        // Only recursive loops, which are not implemented, go deeper.
        "depth" => 1L,
        "depth0" => 0L,
        "previtem" => Index > 0 ? items[Index - 1] : new Undefined("there is no previous item"),
        "nextitem" => Index + 1 < Length ? items[Index + 1] : new Undefined("there is no next item"),
        "cycle" => new FunctionValue("cycle", Cycle),
        "changed" => new FunctionValue("changed", (run, arguments) => Changed(run, arguments)),
        _ => null,
    };

    private object Cycle(TemplateRun run, Arguments arguments) => arguments.Places.Count == 0
        ? throw new ChatTemplateException("no items for cycling given")
        : arguments.Places[Index % arguments.Places.Count];

    private bool Changed(TemplateRun run, Arguments arguments)
    {
        var values = new ListValue(arguments.Places, IsTuple: true);
        var changed = _lastChecked is null || !PythonComparison.AreEqual(_lastChecked, values, run);
        _lastChecked = values;
        return changed;
    }
}
