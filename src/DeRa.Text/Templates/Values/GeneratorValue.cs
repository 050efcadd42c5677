namespace DeRa.Text.Templates.Values;

/// <summary>
/// What <c>map</c>, <c>select</c> and their like give: true whatever is in it, without length, and empty once it was read.
/// </summary>
internal sealed class GeneratorValue(IReadOnlyList<object> items)
{
    private IReadOnlyList<object> _items = items;

    public IReadOnlyList<object> Take()
    {
        var items = _items;
        _items = [];
        return items;
    }
}
