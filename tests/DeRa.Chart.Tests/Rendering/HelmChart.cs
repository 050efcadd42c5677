using System.Text.Json;
using System.Text.RegularExpressions;
using DeRa.Testing;
using NJsonSchema;

namespace DeRa.Chart.Tests.Rendering;

/// <summary>The chart under deploy/helm/dera: values in, documents out, as <c>helm template</c> does it.</summary>
public static partial class HelmChart
{
    /// <summary>The chart's folder.</summary>
    public static string Folder { get; } = Path.Combine(SharedData.ProjectRoot, "deploy", "helm", "dera");

    /// <summary>The examples of values under ci/, by their names, and "default", which gives none.</summary>
    public static IEnumerable<string> Examples => Directory.GetFiles(Path.Combine(Folder, "ci"), "*-values.yaml")
        .Select(file => Path.GetFileName(file)[..^"-values.yaml".Length]).Append("default").Order(StringComparer.Ordinal);

    /// <summary>The values of an example, as text.</summary>
    public static string Example(string name) =>
        name == "default" ? "" : File.ReadAllText(Path.Combine(Folder, "ci", name + "-values.yaml"));

    /// <summary>What the schema has against values, over the chart's own.</summary>
    /// <param name="values">Values as somebody would give them.</param>
    public static async Task<IReadOnlyList<string>> ProblemsAsync(string values)
    {
        var schema = await JsonSchema.FromFileAsync(Path.Combine(Folder, "values.schema.json"));
        return [.. schema.Validate(JsonSerializer.Serialize(Merged(values))).Select(problem => $"{problem.Path}: {problem.Kind}")];
    }

    /// <summary>Renders a release.</summary>
    /// <param name="values">Values over the chart's own.</param>
    /// <param name="release">The release's name.</param>
    /// <exception cref="TemplateException">A template cannot be rendered or refuses the values.</exception>
    public static IReadOnlyList<Manifest> Render(string values, string release = "dera")
    {
        var chart = YamlText.Read(File.ReadAllText(Path.Combine(Folder, "Chart.yaml")));
        var root = new Dictionary<string, object?>
        {
            ["Values"] = Merged(values),
            ["Chart"] = new Dictionary<string, object?> { ["Name"] = chart["name"], ["AppVersion"] = chart["appVersion"] },
            ["Release"] = new Dictionary<string, object?> { ["Name"] = release, ["Namespace"] = "serving", ["Service"] = "Helm" },
        };
        var renderer = new TemplateRenderer();
        var templates = Directory.GetFiles(Path.Combine(Folder, "templates")).Order(StringComparer.Ordinal)
            .Select(file => (Name: Path.GetFileName(file), Nodes: renderer.Add(File.ReadAllText(file)))).ToList();
        return [.. from template in templates
                   where !template.Name.StartsWith('_')
                   from text in Separator().Split(renderer.Render(template.Nodes, root))
                   where text.Trim().Length > 0
                   select new Manifest(template.Name, text)];
    }

    private static Dictionary<string, object?> Merged(string values) =>
        Merge(YamlText.Read(File.ReadAllText(Path.Combine(Folder, "values.yaml"))), YamlText.Read(values));

    /// <summary>Maps are merged, lists and all else replaced.</summary>
    private static Dictionary<string, object?> Merge(IReadOnlyDictionary<string, object?> own, IReadOnlyDictionary<string, object?> given)
    {
        var merged = own.ToDictionary();
        foreach (var (key, value) in given)
            merged[key] = value is IReadOnlyDictionary<string, object?> inner
                && own.GetValueOrDefault(key) is IReadOnlyDictionary<string, object?> before ? Merge(before, inner) : value;
        return merged;
    }

    [GeneratedRegex("^---$", RegexOptions.Multiline)]
    private static partial Regex Separator();
}
