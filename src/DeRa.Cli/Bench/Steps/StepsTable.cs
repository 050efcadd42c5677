using System.Globalization;

namespace DeRa.Cli.Bench.Steps;

/// <summary>A report as aligned text.</summary>
internal static class StepsTable
{
    /// <summary>Writes it.</summary>
    public static void Write(StepsReport report, TextWriter output)
    {
        foreach (var model in report.Models)
            Line($"{model.Name}: {model.Folder}, {model.DType} on {model.Device}, {model.WeightBytes / 1e9:F3} GB of weights");
        Line($"{report.Threads} threads; read bandwidth {(report.ReadBandwidth is { } read ? Number(read / 1e9, "F1") : "-")} GB/s");
        Line($"");
        Line($"decode           context  batch  ms a token  tokens/s  passes/token  right guesses  GB/s of weights  of bandwidth");
        foreach (var one in report.Decode)
            output.WriteLine(string.Create(CultureInfo.InvariantCulture,
                $"{one.Way,-15} {one.Context,8} {one.Batch,6} {one.Milliseconds,11:F2} {one.TokensPerSecond,9:F1} "
                + $"{one.PassesPerToken,13:F3} {Share(one.RightGuesses),14} {one.WeightBytesPerSecond / 1e9,16:F2} "
                + $"{Share(one.BandwidthShare),13}"));
        Line($"");
        Line($"prompt of {report.Options.PromptTokens,-7}       ms  tokens/s");
        foreach (var one in report.Prefill) Line($"{one.Way,-15} {one.Milliseconds,10:F1} {one.TokensPerSecond,9:F1}");
        Line($"");
        var (scoring, single, many) =
            (report.Scoring, Number(report.Scoring.Milliseconds, "F1"), Number(report.Scoring.ManyMilliseconds, "F1"));
        Line($"text of {scoring.Tokens} scored: {single} ms at 1 strength, {many} ms at {scoring.Strengths}, ratio {scoring.Ratio:F3}");
        if (report.MixedStep is not { } mixed) return;
        Line($"");
        Line($"mixed step of one sequence: {mixed.Milliseconds:F2} ms, the models' own {string.Join(" + ", mixed.ModelMilliseconds
            .Select(own => Number(own, "F2")))} ms, ratio {mixed.Ratio:F3}");

        void Line(FormattableString text) => output.WriteLine(FormattableString.Invariant(text));
    }

    private static string Share(double? share) => share is { } known ? Number(known, "F3") : "-";

    private static string Number(double number, string format) => number.ToString(format, CultureInfo.InvariantCulture);
}
