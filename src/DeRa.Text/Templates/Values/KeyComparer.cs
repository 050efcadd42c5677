namespace DeRa.Text.Templates.Values;

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
