using System.Globalization;
using System.Text;
using DeRa.Server.Tests.Telemetry;
using DeRa.Testing;
using Xunit;

namespace DeRa.Server.Tests.ApiDescription;

/// <summary>Dashboards, alerts and routers find the metrics and the labels that they ask for.</summary>
[Collection(nameof(MetricsTests))]
public class MetricDescriptionTests
{
    private const string Model = "api-description";

    [Fact]
    public async Task Metrics_are_the_approved_ones()
    {
        // Times and divergence are counted only where the executor measures them.
        var executor = new ScriptedExecutor { MixAndSampleTime = TimeSpan.FromMilliseconds(1), ReferenceDivergence = 0.1 };
        await using var server = await ServerFixture.StartAsync(executor, model: Model);
        const string tokens = "\"max_tokens\":5,\"ignore_eos\":true,\"seed\":1,\"lambda\":0.5";
        Assert.Equal(200, (await server.CompleteAsync($$"""{"prompt":"abc",{{tokens}}}""")).Status);
        Assert.Equal(200, (await server.CompleteAsync($$"""{"prompt":"abc",{{tokens}},"stream":true,"measures":true}""")).Status);
        Assert.Equal(200, (await server.ChatAsync($$"""{"messages":[{"role":"user","content":"abc"}],{{tokens}}}""")).Status);
        // A request that failed has a label that others lack.
        executor.ReadoutError = _ => "broken";
        Assert.Equal(500, (await server.CompleteAsync($$"""{"prompt":"abc",{{tokens}}}""")).Status);
        ApiDescriptionTests.AssertApproved("metrics.txt", Describe(await Scrape.OfAsync(server)));
    }

    /// <summary>A line for each metric, its name and type; below it each label with its values.</summary>
    private static string Describe(Scrape scrape)
    {
        var text = new StringBuilder();
        foreach (var (name, type) in scrape.Types.OrderBy(entry => entry.Key, StringComparer.Ordinal))
        {
            text.Append(CultureInfo.InvariantCulture, $"{name} {type}\n");
            var isHistogram = type == "histogram";
            // Engines of other tests in this process may not have ended yet.
            foreach (var label in scrape.Series(isHistogram ? name + "_count" : name)
                .Where(series => series.GetValueOrDefault("model_name", Model) == Model).SelectMany(series => series)
                .GroupBy(label => label.Key, label => label.Value).OrderBy(label => label.Key, StringComparer.Ordinal))
            {
                var values = string.Join(' ', label.Distinct().Order(StringComparer.Ordinal));
                text.Append(CultureInfo.InvariantCulture, $"    {label.Key}: {values}\n");
            }
            if (isHistogram) text.Append(CultureInfo.InvariantCulture, $"    le: {string.Join(' ', scrape.Bounds(name))}\n");
        }
        return text.ToString();
    }
}
