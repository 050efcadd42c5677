using System.Globalization;
using System.Text.RegularExpressions;
using Xunit;

namespace DeRa.Server.Tests.Telemetry;

/// <summary>What <c>/metrics</c> says, read by the text format's grammar.</summary>
public sealed partial class Scrape
{
    private readonly List<(string Name, IReadOnlyDictionary<string, string> Labels, double Value)> _samples = [];
    private readonly Dictionary<string, string> _types = [];

    public IReadOnlyDictionary<string, string> Types => _types;

    public IEnumerable<string> Names => _samples.Select(sample => sample.Name).Distinct();

    public static async Task<Scrape> OfAsync(ServerFixture server)
    {
        var reply = await server.GetAsync("/metrics");
        Assert.Equal("text/plain; version=0.0.4; charset=utf-8", reply.Headers["Content-Type"]);
        var scrape = new Scrape();
        foreach (var line in reply.Body.Split('\n', StringSplitOptions.RemoveEmptyEntries)) scrape.Read(line);
        return scrape;
    }

    /// <summary>The sum of all series with that name and these labels.</summary>
    public double Value(string name, params (string Name, string Value)[] labels)
    {
        var found = _samples
            .Where(sample => sample.Name == name && labels.All(label => sample.Labels.GetValueOrDefault(label.Name) == label.Value))
                .ToList();
        Assert.True(found.Count > 0, $"there is no series {name} with these labels");
        return found.Sum(sample => sample.Value);
    }

    public IEnumerable<IReadOnlyDictionary<string, string>> Series(string name) =>
        _samples.Where(sample => sample.Name == name).Select(sample => sample.Labels);

    /// <summary>The upper bounds of a histogram's buckets.</summary>
    public double[] Bounds(string name) => [.. Series(name + "_bucket").Select(labels => labels["le"]).Distinct()
        .Select(bound => bound == "+Inf" ? double.PositiveInfinity : double.Parse(bound, CultureInfo.InvariantCulture)).Order()];

    private void Read(string line)
    {
        if (Head().Match(line) is { Success: true } head) _types.Add(head.Groups[1].Value, head.Groups[2].Value);
        if (line[0] == '#') return;
        var match = Sample().Match(line);
        Assert.True(match.Success, line);
        var labels = Label().Matches(match.Groups[2].Value).ToDictionary(label => label.Groups[1].Value, label => label.Groups[2].Value);
        _samples.Add((match.Groups[1].Value, labels, double.Parse(match.Groups[3].Value, CultureInfo.InvariantCulture)));
    }

    [GeneratedRegex(@"^# TYPE (\S+) (counter|gauge|histogram)$")]
    private static partial Regex Head();

    [GeneratedRegex("""^([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{((?:[a-zA-Z_][a-zA-Z0-9_]*="(?:[^"\\]|\\.)*",?)+)\})? ([0-9.eE+-]+)$""")]
    private static partial Regex Sample();

    [GeneratedRegex("""([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\]|\\.)*)""")]
    private static partial Regex Label();
}
