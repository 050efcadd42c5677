using System.Diagnostics;
using System.Text.Json;
using System.Text.RegularExpressions;
using DeRa.Chart.Tests.Rendering;
using DeRa.Testing;
using Xunit;

namespace DeRa.Chart.Tests;

/// <summary>Alerts and scalers ask for metrics that the server has, and each alert says what to do.</summary>
public partial class QueryTests
{
    [Fact]
    public void Alerts_and_scalers_ask_only_for_metrics_of_the_server()
    {
        var queries = Rules().Select(rule => rule.GetProperty("expr").GetString()!)
            .Append(Manifest("ScaledObject").GetProperty("triggers")[0].GetProperty("metadata").GetProperty("query").GetString()!).ToList();
        var asked = queries.SelectMany(Metrics).Distinct().ToList();
        Assert.True(asked.Count >= 5, string.Join(' ', asked));
        // Prometheus' own word for whether a scrape succeeded.
        Assert.Empty(asked.Except(Exposed()).Except(["up"]));
        Assert.All(queries, query => Assert.Contains("namespace=\"serving\",job=\"dera\"", query, StringComparison.Ordinal));
    }

    [Fact]
    public void The_adapters_metric_is_the_queue_under_a_name_without_a_colon()
    {
        var name = HelmChart.Render(HelmChart.Example("hub")).Single(manifest => manifest.Kind == "HorizontalPodAutoscaler").Json
            .GetProperty("spec").GetProperty("metrics")[0].GetProperty("pods").GetProperty("metric").GetProperty("name").GetString();
        Assert.Contains(name, Exposed().Select(metric => metric.Replace(':', '_')));
        Assert.Contains($"as: {name}", Operations(), StringComparison.Ordinal);
    }

    [Fact]
    public void Each_alert_has_its_own_runbook_in_the_docs()
    {
        var headings = Heading().Matches(Operations()).Select(match => match.Groups[1].Value.ToLowerInvariant().Replace(' ', '-')).ToList();
        var books = Rules().Select(rule => rule.GetProperty("annotations").GetProperty("runbook_url").GetString()!).ToList();
        Assert.All(books, book =>
            Assert.Contains(book["https://docs.example.com/operations.html#".Length..], headings));
        Assert.Equal(books.Count, books.Distinct().Count());
        Assert.Equal(Rules().Count, Rules().Select(rule => rule.GetProperty("alert").GetString()).Distinct().Count());
    }

    [Fact]
    public async Task Prometheus_own_tool_accepts_the_rules()
    {
        var program = Environment.GetEnvironmentVariable("PATH")!.Split(Path.PathSeparator)
            .Select(folder => Path.Combine(folder, "promtool")).FirstOrDefault(File.Exists);
        if (program is null) Assert.Skip("no program 'promtool' is on the PATH; Debian's package 'prometheus' has it");
        using var folder = new TemporaryFolder();
        var rules = folder.Write("rules.yaml", Manifest("PrometheusRule").GetRawText());
        using var tool = Process.Start(new ProcessStartInfo(program, ["check", "rules", rules])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        })!;
        var errors = tool.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken);
        var output = await tool.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken);
        await tool.WaitForExitAsync(TestContext.Current.CancellationToken);
        Assert.True(tool.ExitCode == 0, await errors);
        Assert.Contains($"{Rules().Count} rules found", output, StringComparison.Ordinal);
    }

    private static List<JsonElement> Rules() =>
        [.. Manifest("PrometheusRule").GetProperty("groups")[0].GetProperty("rules").EnumerateArray()];

    private static JsonElement Manifest(string kind) => HelmChart.Render(HelmChart.Example("everything"))
        .Single(manifest => manifest.Kind == kind).Json.GetProperty("spec");

    private static string Operations() => File.ReadAllText(Path.Combine(SharedData.ProjectRoot, "docs", "operations.md"));

    /// <summary>The series of the approved metrics: a histogram has three.</summary>
    private static IEnumerable<string> Exposed() =>
        File.ReadLines(Path.Combine(SharedData.ProjectRoot, "tests", "DeRa.Server.Tests", "ApiDescription", "metrics.txt"))
            .Where(line => line[0] != ' ').Select(line => line.Split(' '))
            .SelectMany(parts => parts[1] == "histogram"
                ? [parts[0] + "_bucket", parts[0] + "_sum", parts[0] + "_count"] : (string[])[parts[0]]);

    /// <summary>The metrics of a query: its names, without functions, the labels that it groups by, and what stands in braces.</summary>
    private static IEnumerable<string> Metrics(string query) =>
        Name().Matches(NotMetrics().Replace(query, " ")).Select(match => match.Value);

    [GeneratedRegex(@"\{[^}]*\}|\[[^\]]*\]|\bby \([^)]*\)|\b[a-z_]+(?= ?\(|(?= by ))")]
    private static partial Regex NotMetrics();

    [GeneratedRegex(@"[a-zA-Z_:][a-zA-Z0-9_:]*")]
    private static partial Regex Name();

    [GeneratedRegex("^### +(.*?) *$", RegexOptions.Multiline)]
    private static partial Regex Heading();
}
