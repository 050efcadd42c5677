using System.Globalization;
using System.Net;
using DeRa.Serving.Statistics;

namespace DeRa.Serving.Sweeps.Reports;

/// <summary>Numbers and texts as a report shows them.</summary>
internal static class ReportText
{
    /// <summary>For HTML and SVG.</summary>
    public static string Escaped(string text) => WebUtility.HtmlEncode(text);

    /// <summary>Up to three decimals; of small numbers three digits.</summary>
    public static string Number(double value) => Math.Abs(value) is > 0 and < .1
        ? value.ToString("G3", CultureInfo.InvariantCulture).Replace('-', '−')
        : double.IsPositiveInfinity(value) ? "∞" : value.ToString("0.###", CultureInfo.InvariantCulture).Replace('-', '−');

    /// <summary>An estimate with its bounds.</summary>
    public static string Between(Interval interval) =>
        $"{Number(interval.Estimate)} ({Number(interval.Low)} to {Number(interval.High)})";
}
