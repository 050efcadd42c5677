using System.Globalization;
using System.Text;
using DeRa.Serving.Statistics;

namespace DeRa.Lab.Reports;

/// <summary>A table of results: aligned columns for people, comma-separated values (RFC 4180) for programs.</summary>
/// <param name="columns">The head of each column.</param>
internal sealed class ResultTable(params IReadOnlyList<string> columns)
{
    private const string Gap = "  ";
    private readonly List<object[]> _rows = [];

    /// <summary>Adds a row of texts, whole numbers, doubles and <see cref="Interval"/>s.</summary>
    /// <exception cref="ArgumentException">There are more or fewer cells than columns.</exception>
    public ResultTable Add(params object[] cells)
    {
        if (cells.Length != columns.Count) throw new ArgumentException($"{cells.Length} cells for {columns.Count} columns", nameof(cells));
        _rows.Add(cells);
        return this;
    }

    /// <summary>The table as plain text: text aligned left, numbers right, with four significant digits.</summary>
    public string ToText()
    {
        List<string[]> lines = [[.. columns], .. _rows.Select(row => row.Select(Short).ToArray())];
        var widths = columns.Select((_, column) => lines.Max(line => line[column].Length)).ToArray();
        var text = new StringBuilder();
        foreach (var line in lines)
            text.AppendLine(string.Join(Gap, line.Select((cell, column) =>
                IsText(column) ? cell.PadRight(widths[column]) : cell.PadLeft(widths[column]))).TrimEnd());
        return text.ToString();
    }

    /// <summary>The table as CSV, with all digits. An interval's column becomes three: its name, then …_low and …_high.</summary>
    public string ToCsv()
    {
        var csv = new StringBuilder();
        Line(columns.SelectMany((name, column) => IsInterval(column) ? [name, name + "_low", name + "_high"] : new object[] { name }));
        foreach (var row in _rows)
            Line(row.SelectMany(cell => cell is Interval interval ? [interval.Estimate, interval.Low, interval.High] : new[] { cell }));
        return csv.ToString();

        void Line(IEnumerable<object> cells) => csv.Append(string.Join(',', cells.Select(Escape))).Append("\r\n");
    }

    private bool IsText(int column) => _rows.Any(row => row[column] is string);

    private bool IsInterval(int column) => _rows.Any(row => row[column] is Interval);

    private static string Short(object cell) => cell switch
    {
        Interval interval => $"{Short(interval.Estimate)} [{Short(interval.Low)}, {Short(interval.High)}]",
        double number => number.ToString("G4", CultureInfo.InvariantCulture),
        _ => Convert.ToString(cell, CultureInfo.InvariantCulture) ?? "",
    };

    private static string Escape(object cell)
    {
        var text = Convert.ToString(cell, CultureInfo.InvariantCulture) ?? "";
        return text.AsSpan().IndexOfAny(",\"\r\n") < 0 ? text : $"\"{text.Replace("\"", "\"\"", StringComparison.Ordinal)}\"";
    }
}
