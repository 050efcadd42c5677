using DeRa.Chart.Tests.Rendering;
using Xunit;

namespace DeRa.Chart.Tests;

/// <summary>Values that cannot be meant are refused, with their name.</summary>
public class ValuesTests
{
    [Theory]
    [InlineData("replicas: -1", "replicas")]
    [InlineData("replicas: two", "replicas")]
    [InlineData("replica: 2", "replica")]
    [InlineData("models: {aligned: /models/dpo}", "models.aligned")]
    [InlineData("models: {hub: {endpoint: hub.example.com}}", "endpoint")]
    [InlineData("ports: {http: 70000}", "ports.http")]
    [InlineData("service: {type: Headless}", "service.type")]
    [InlineData("drain: {drainSeconds: 2m}", "drain.drainSeconds")]
    [InlineData("podDisruptionBudget: {maxUnavailable: half}", "maxUnavailable")]
    [InlineData("autoscaling: {kind: cron}", "autoscaling.kind")]
    [InlineData("autoscaling: {waitingPerReplica: 0}", "waitingPerReplica")]
    [InlineData("serviceMonitor: {interval: 15}", "interval")]
    [InlineData("prometheusRule: {errorFraction: 2}", "errorFraction")]
    [InlineData("gateway: {replicas: 0}", "gateway.replicas")]
    [InlineData("gateway: {caKey: ../ca.crt}", "gateway.caKey")]
    [InlineData("apiKeysSecret: Keys", "apiKeysSecret")]
    [InlineData("options: {max-running: {of: 3}}", "options")]
    public async Task The_schema_refuses_a_wrong_value(string values, string path) =>
        Assert.Contains(await HelmChart.ProblemsAsync(values), problem => problem.Contains(path, StringComparison.Ordinal));

    [Theory]
    [InlineData("models: {aligned: [a/b]}", "models.aligned is given without models.reference")]
    [InlineData("models: {reference: a/b}", "models.reference is given without models.aligned")]
    [InlineData("models: {hub: {pull: true}}", "models.hub.pull is true")]
    [InlineData("autoscaling: {enabled: true, minReplicas: 4, maxReplicas: 2}", "autoscaling.maxReplicas must be at least")]
    [InlineData("{apiKeysSecret: keys, serviceMonitor: {enabled: true}}", "serviceMonitor.keySecret is empty")]
    [InlineData("{apiKeysSecret: keys, gateway: {enabled: true}}", "serviceMonitor.keySecret is empty")]
    [InlineData("gateway: {enabled: true, caKey: ca.crt}", "gateway.caKey is given without tlsSecret")]
    [InlineData("httpRoute: {enabled: true}", "httpRoute.parentRefs is empty")]
    [InlineData("inferencePool: {enabled: true}", "inferencePool.endpointPicker must name")]
    public async Task Values_that_do_not_fit_each_other_are_refused(string values, string reason)
    {
        Assert.Empty(await HelmChart.ProblemsAsync(values));
        Assert.StartsWith(reason, Assert.Throws<TemplateException>(() => HelmChart.Render(values)).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("", 1)]
    [InlineData("replicas: 5", 5)]
    public void Without_a_scaler_the_values_say_how_many_replicas_there_are(string values, int replicas)
    {
        var manifests = HelmChart.Render(values);
        Assert.Equal(replicas, manifests.Single(manifest => manifest.Kind == "Deployment").Json
            .GetProperty("spec").GetProperty("replicas").GetInt32());
        Assert.DoesNotContain(manifests, manifest => manifest.Template == "autoscaling.yaml");
    }

    [Theory]
    [InlineData("keda", "ScaledObject", "minReplicaCount")]
    [InlineData("hpa", "HorizontalPodAutoscaler", "minReplicas")]
    public void With_a_scaler_it_alone_decides(string kind, string scaler, string minimum)
    {
        var manifests = HelmChart.Render($"autoscaling: {{enabled: true, minReplicas: 3, kind: {kind}}}");
        Assert.False(manifests.Single(manifest => manifest.Kind == "Deployment").Json
            .GetProperty("spec").TryGetProperty("replicas", out _));
        Assert.Equal(3, manifests.Single(manifest => manifest.Kind == scaler).Json.GetProperty("spec").GetProperty(minimum).GetInt32());
    }

    [Fact]
    public void With_keys_and_a_certificate_pods_have_both_and_probes_use_TLS()
    {
        var text = HelmChart.Render("{apiKeysSecret: keys, tlsSecret: certificate}")
            .Single(manifest => manifest.Kind == "Deployment").Text;
        Assert.Contains("- --api-keys=/etc/dera/api-keys/keys", text, StringComparison.Ordinal);
        Assert.Contains("- --tls-certificate=/etc/dera/tls/tls.crt", text, StringComparison.Ordinal);
        Assert.DoesNotContain("scheme: HTTP\n", text, StringComparison.Ordinal);
        Assert.Contains("scheme: HTTP\n", HelmChart.Render("").Single(manifest => manifest.Kind == "Deployment").Text,
            StringComparison.Ordinal);
    }
}
