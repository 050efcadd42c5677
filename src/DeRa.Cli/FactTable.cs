using System.Globalization;
using System.Text;

namespace DeRa.Cli;

/// <summary>A title and below it a fact a line, in two columns. Numbers are written as in English everywhere.</summary>
internal sealed class FactTable(string title)
{
    private const int NameWidth = 18;
    private static readonly (string Name, int ElementBytes)[] ElementTypes = [("float32", 4), ("bfloat16", 2), ("float16", 2)];
    private readonly StringBuilder _text = new(title);

    public FactTable Add(string name, string value)
    {
        _text.AppendLine().Append("  ").Append(name.PadRight(NameWidth)).Append(value);
        return this;
    }

    /// <summary>Bytes in each element type that a model may be loaded in.</summary>
    /// <param name="name">What takes them.</param>
    /// <param name="bytes">Gives them for the bytes of an element.</param>
    public FactTable AddBytes(string name, Func<int, long> bytes) =>
        Add(name, string.Join(", ", ElementTypes.Select(type => $"{type.Name} {Bytes(bytes(type.ElementBytes))}")));

    public override string ToString() => _text.ToString();

    public static string Number(long number) => number.ToString("N0", CultureInfo.InvariantCulture);

    private static string Bytes(long bytes) => bytes switch
    {
        < 1L << 20 => string.Create(CultureInfo.InvariantCulture, $"{bytes / 1024.0:0.0} KiB"),
        < 1L << 30 => string.Create(CultureInfo.InvariantCulture, $"{bytes / (double)(1L << 20):0.0} MiB"),
        _ => string.Create(CultureInfo.InvariantCulture, $"{bytes / (double)(1L << 30):0.0} GiB"),
    };
}
