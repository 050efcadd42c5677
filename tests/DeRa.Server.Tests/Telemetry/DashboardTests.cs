using System.Text.Json;
using System.Text.RegularExpressions;
using DeRa.Testing;
using Xunit;

namespace DeRa.Server.Tests.Telemetry;

/// <summary>The dashboard asks for nothing that the server does not expose.</summary>
[Collection(nameof(MetricsTests))]
public partial class DashboardTests
{
    [Fact]
    public async Task Every_metric_of_the_dashboard_is_exposed_once_there_is_traffic()
    {
        var executor = new ScriptedExecutor { MixAndSampleTime = TimeSpan.FromMilliseconds(1), ReferenceDivergence = 0.1 };
        await using var server = await ServerFixture.StartAsync(executor, model: "dashboard");
        await server.CompleteAsync("""{"prompt":"abc","max_tokens":5,"ignore_eos":true,"lambda":0.5,"measures":true}""");
        await server.CompleteAsync("""{"prompt":"abc","max_tokens":0}""");
        var exposed = (await Scrape.OfAsync(server)).Names.ToHashSet();
        var asked = Queries().SelectMany(Metrics).Distinct().ToList();
        Assert.True(asked.Count > 15, string.Join(' ', asked));
        Assert.Empty(asked.Except(exposed));
    }

    [Fact]
    public void Panels_have_titles_of_their_own_places_of_their_own_and_a_query()
    {
        var panels = Dashboard().GetProperty("panels").EnumerateArray().ToList();
        Assert.Equal(panels.Count, panels.Select(panel => panel.GetProperty("title").GetString()).Distinct().Count());
        Assert.Equal(panels.Count, panels.Select(panel => panel.GetProperty("id").GetInt32()).Distinct().Count());
        Assert.Equal(panels.Count, panels.Select(panel => panel.GetProperty("gridPos") is var at
            ? (at.GetProperty("x").GetInt32(), at.GetProperty("y").GetInt32()) : default).Distinct().Count());
        Assert.All(panels, panel => Assert.NotEqual(0, panel.GetProperty("targets").GetArrayLength()));
    }

    private static JsonElement Dashboard()
    {
        using var document = JsonDocument.Parse(
            File.ReadAllText(Path.Combine(SharedData.ProjectRoot, "deploy", "grafana", "dashboards", "dera.json")));
        return document.RootElement.Clone();
    }

    /// <summary>What the panels ask.</summary>
    public static IEnumerable<string> Queries() => Dashboard().GetProperty("panels").EnumerateArray()
        .SelectMany(panel => panel.GetProperty("targets").EnumerateArray()).Select(target => target.GetProperty("expr").GetString()!);

    /// <summary>The metrics of a query: its names, without functions, the labels that it groups by, and what stands in braces.</summary>
    private static IEnumerable<string> Metrics(string query) =>
        Name().Matches(NotMetrics().Replace(query, " ")).Select(match => match.Value);

    [GeneratedRegex(@"\{[^}]*\}|\[[^\]]*\]|\bby \([^)]*\)|\b[a-z_]+(?= ?\(|(?= by ))")]
    private static partial Regex NotMetrics();

    [GeneratedRegex(@"[a-zA-Z_:][a-zA-Z0-9_:]*")]
    private static partial Regex Name();
}
