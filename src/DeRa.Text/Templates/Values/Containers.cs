using System.Diagnostics.CodeAnalysis;

namespace DeRa.Text.Templates.Values;

/// <summary>A Python list or tuple; never changed once a template can see it.</summary>
internal sealed record ListValue(IReadOnlyList<object> Items, bool IsTuple = false)
{
    public static ListValue Tuple(params object[] items) => new(items, IsTuple: true);

    /// <summary>Lists are compared by <see cref="PythonComparison"/>, which counts its steps.</summary>
    public bool Equals(ListValue? other) => ReferenceEquals(this, other);

    public override int GetHashCode() => Items.Count;
}

/// <summary>A Python dict in the order of insertion; never changed once a template can see it.</summary>
internal sealed class DictValue
{
    private readonly OrderedDictionary<object, object> _entries = new(KeyComparer.Instance);

    public int Count => _entries.Count;

    public IEnumerable<object> Keys => _entries.Keys;

    public IEnumerable<KeyValuePair<object, object>> Entries => _entries;

    /// <summary>Adds an entry, or gives the one of an equal key another value.</summary>
    public void Set(object key, object value) => _entries[Hashable(key)] = value;

    public bool TryGet(object key, TemplateRun run, [MaybeNullWhen(false)] out object value)
    {
        if (key is string text) run.CountText(text.Length);
        return _entries.TryGetValue(Hashable(key), out value);
    }

    private static object Hashable(object key) => key is string or bool or long or double or None or Undefined ? key
        : throw new ChatTemplateException($"'{PythonType.Name(key)}' cannot be the key of a dict here");
}

/// <summary>Compares scalars as Python's dict keys: 1, 1.0 and True are one key.</summary>
internal sealed class KeyComparer : IEqualityComparer<object>
{
    public static readonly KeyComparer Instance = new();

    public new bool Equals(object? left, object? right) => left is string text ? text.Equals(right as string, StringComparison.Ordinal)
        : PythonNumber.TryRead(left!, out var one) && PythonNumber.TryRead(right!, out var two) ? PythonNumber.Compare(one, two) == 0
        : ReferenceEquals(left, right) || (left is Undefined && right is Undefined);

    public int GetHashCode(object key) => key switch
    {
        string text => text.GetHashCode(StringComparison.Ordinal),
        bool flag => Hash(flag ? 1 : 0),
        long number => Hash(number),
        double number when number == Math.Floor(number) && Math.Abs(number) < long.MaxValue => Hash((long)number),
        double number => Hash(BitConverter.DoubleToInt64Bits(number)),
        _ => 0,
    };

    /// <summary>Both halves go through a hash that is seeded anew in every process, so that nobody can make keys collide.</summary>
    private static int Hash(long number) => HashCode.Combine((int)number, (int)(number >> 32));
}

/// <summary>What <c>namespace()</c> makes: the one value whose attributes a template may set.</summary>
internal sealed class NamespaceValue
{
    public Dictionary<string, object> Attributes { get; } = new(StringComparer.Ordinal);
}

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
