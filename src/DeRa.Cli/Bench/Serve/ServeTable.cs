using System.Globalization;

namespace DeRa.Cli.Bench.Serve;

/// <summary>Reports as aligned text.</summary>
internal static class ServeTable
{
    /// <summary>Writes one.</summary>
    public static void Write(ServeReport report, TextWriter output)
    {
        var (options, seconds) = (report.Options, report.Seconds);
        Line($"{options.Name}, {seconds:F1} s");
        Line($"  requests         {report.Requests}, {report.Requests / seconds:F2}/s; {report.Failed} failed");
        if (report.Interrupted > 0) Line($"  interrupted      {report.Interrupted} more");
        foreach (var (kind, count) in report.Failures) Line($"  {count,6} {kind}");
        if (options.Turns > 1)
            Line($"  conversations    {report.CompletedConversations} whole, {report.OutgrownConversations} outgrew the context");
        Line($"  output tokens/s  {report.OutputTokens / seconds:F1}");
        Line($"  input tokens/s   {report.PromptTokens / seconds:F1}");
        var cached = report.CachedShare?.ToString("F3", CultureInfo.InvariantCulture) ?? "not reported";
        Line($"  cached share     {cached}");
        if (report.GoodRequests is { } good) Line($"  goodput          {good / seconds:F2} requests/s, {good} of {report.Requests}");
        Line($"  ms                   mean        p50        p90        p99");
        foreach (var (name, of) in report.Durations)
            Line($"    {name,-8}{(of is null ? "       none" : Columns(of))}");

        void Line(FormattableString text) => output.WriteLine(FormattableString.Invariant(text));
    }

    /// <summary>Writes what several are compared by.</summary>
    public static void WriteComparison(IReadOnlyList<ServeReport> reports, TextWriter output)
    {
        output.WriteLine("concurrency  requests/s  output tokens/s  ttft p50, ms  ttft p99, ms  tpot p50, ms  tpot p99, ms");
        foreach (var report in reports)
            output.WriteLine(string.Create(CultureInfo.InvariantCulture,
                $"{report.Options.Concurrency,11} {report.Requests / report.Seconds,11:F2} {report.OutputTokens / report.Seconds,16:F1}"
                + $" {1e3 * report.FirstToken?.P50,13:F1} {1e3 * report.FirstToken?.P99,13:F1}"
                + $" {1e3 * report.PerToken?.P50,13:F2} {1e3 * report.PerToken?.P99,13:F2}"));
    }

    private static string Columns(Percentiles of) => string.Create(CultureInfo.InvariantCulture,
        $"{1e3 * of.Mean,11:F2}{1e3 * of.P50,11:F2}{1e3 * of.P90,11:F2}{1e3 * of.P99,11:F2}");
}
