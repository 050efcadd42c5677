namespace DeRa.Text.Templates.Values;

/// <summary>A Python list or tuple; never changed once a template can see it.</summary>
internal sealed record ListValue(IReadOnlyList<object> Items, bool IsTuple = false)
{
    public static ListValue Tuple(params object[] items) => new(items, IsTuple: true);

    /// <summary>Lists are compared by <see cref="PythonComparison"/>, which counts its steps.</summary>
    public bool Equals(ListValue? other) => ReferenceEquals(this, other);

    public override int GetHashCode() => Items.Count;
}
