using System.Text.Json;
using DeRa.Chart.Tests.Rendering;
using DeRa.Testing;
using k8s;
using k8s.Models;
using NJsonSchema;
using Xunit;

namespace DeRa.Chart.Tests;

/// <summary>What the chart renders is what Kubernetes takes: its types read every document strictly, custom ones have schemas here.</summary>
public class ManifestTests
{
    private static readonly Dictionary<string, Type> s_types = new()
    {
        ["Deployment"] = typeof(V1Deployment),
        ["Service"] = typeof(V1Service),
        ["PodDisruptionBudget"] = typeof(V1PodDisruptionBudget),
        ["HorizontalPodAutoscaler"] = typeof(V2HorizontalPodAutoscaler),
        ["NetworkPolicy"] = typeof(V1NetworkPolicy),
    };

    private static readonly string[] s_custom = ["ServiceMonitor", "PrometheusRule", "ScaledObject", "HTTPRoute", "InferencePool"];

    public static TheoryData<string> Examples => [.. HelmChart.Examples];

    [Theory]
    [MemberData(nameof(Examples))]
    public async Task Every_document_of_an_example_is_well_formed(string example)
    {
        var values = HelmChart.Example(example);
        Assert.Empty(await HelmChart.ProblemsAsync(values));
        var manifests = HelmChart.Render(values);
        Assert.Contains(manifests, manifest => manifest.Kind == "Deployment");
        foreach (var manifest in manifests) Assert.Empty(await ProblemsAsync(manifest));
        Assert.Equal(manifests.Count, manifests.Select(manifest => (manifest.Kind, manifest.Name)).Distinct().Count());
    }

    [Fact]
    public void The_examples_together_render_every_kind() =>
        Assert.Equal(
            s_types.Keys.Concat(s_custom).Order(StringComparer.Ordinal),
            HelmChart.Examples.SelectMany(example => HelmChart.Render(HelmChart.Example(example)))
                .Select(manifest => manifest.Kind).Distinct().Order(StringComparer.Ordinal));

    [Theory]
    [InlineData("spec:\n  replicas: many")]
    [InlineData("spec:\n  replica: 1")]
    [InlineData("spec:\n  template:\n    spec:\n      containers:\n        - name: a\n          readinesProbe: {}")]
    public async Task A_mistake_in_a_document_of_Kubernetes_is_found(string part) =>
        Assert.NotEmpty(await ProblemsAsync(new Manifest("planted", $"apiVersion: apps/v1\nkind: Deployment\n{part}\n")));

    [Theory]
    [InlineData("ServiceMonitor", "interval: 15s", "interval: fast")]
    [InlineData("PrometheusRule", "for: 2m", "during: 2m")]
    [InlineData("ScaledObject", "maxReplicaCount", "maxReplicas")]
    [InlineData("HTTPRoute", "value: /", "value: v1")]
    [InlineData("InferencePool", "number: 8443", "number: 0")]
    public async Task A_mistake_in_a_custom_document_is_found(string kind, string right, string wrong)
    {
        var manifest = HelmChart.Render(HelmChart.Example("everything")).Single(manifest => manifest.Kind == kind);
        Assert.Contains(right, manifest.Text, StringComparison.Ordinal);
        Assert.NotEmpty(await ProblemsAsync(manifest with { Text = manifest.Text.Replace(right, wrong, StringComparison.Ordinal) }));
    }

    [Theory]
    [InlineData("dera", "dera")]
    [InlineData("canary", "canary-dera")]
    [InlineData("a-name-that-is-as-long-as-the-name-of-a-release-may-be", "a-name-that-is-as-long-as-the-name-of-a-release-may")]
    public void Objects_are_named_after_the_release(string release, string name) =>
        Assert.All(HelmChart.Render(HelmChart.Example("everything"), release), manifest => Assert.Equal(name, manifest.Name));

    private static async Task<IReadOnlyList<string>> ProblemsAsync(Manifest manifest)
    {
        // A copy with another text keeps what was read of the first.
        var kind = new Manifest(manifest.Template, manifest.Text).Kind;
        if (s_types.TryGetValue(kind, out var type)) return Read(manifest.Text, type) is { } problem ? [problem] : [];
        Assert.Contains(kind, s_custom);
        var schema = await JsonSchema.FromFileAsync(
            Path.Combine(SharedData.ProjectRoot, "tests", "DeRa.Chart.Tests", "Schemas", kind + ".json"));
        return [.. schema.Validate(JsonSerializer.Serialize(YamlText.Read(manifest.Text)))
            .Select(problem => $"{manifest.Template}: {problem.Path}: {problem.Kind}")];
    }

    private static string? Read(string text, Type type)
    {
        try
        {
            var read = KubernetesYaml.LoadAllFromString(text, new Dictionary<string, Type> { [ApiVersion(text)] = type }, strict: true);
            return read is [{ } document] && document.GetType() == type ? null : $"{type.Name}: read as {read.Count} other documents";
        }
        catch (Exception fault) when (fault is YamlDotNet.Core.YamlException or FormatException or ArgumentException)
        {
            return $"{type.Name}: {fault.Message}";
        }
    }

    private static string ApiVersion(string text) => YamlText.Read(text) is var map ? $"{map["apiVersion"]}/{map["kind"]}" : "";
}
