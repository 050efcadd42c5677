using System.Globalization;
using System.Net;
using DeRa.Serving.Statistics;

namespace DeRa.Serving.Sweeps.Reports;

/// <summary>Numbers and texts as a report shows them.</summary>
internal static class ReportText
{
    /// <summary>For HTML and SVG.</summary>
    public static string Escaped(string text) => WebUtility.HtmlEncode(text);

    /// <summary>Up to three decimals, of numbers from 10 on two; of small numbers three digits.</summary>
    public static string Number(double value) => double.IsPositiveInfinity(value) ? "∞"
        : value.ToString(Math.Abs(value) switch { > 0 and < .1 => "G3", < 10 => "0.###", _ => "0.##" }, CultureInfo.InvariantCulture)
            .Replace('-', '−');

    /// <summary>A number as a table's cell; a dash where there is none.</summary>
    public static string Cell(double value) => double.IsNaN(value) ? "–" : Number(value);

    /// <summary>An estimate as a table's cell, with its bounds below.</summary>
    public static string Cell(Interval interval) => double.IsNaN(interval.Estimate) ? "–"
        : $"{Number(interval.Estimate)}<small>{Number(interval.Low)} to {Number(interval.High)}</small>";
}
