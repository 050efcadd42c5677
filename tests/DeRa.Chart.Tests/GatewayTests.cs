using DeRa.Chart.Tests.Rendering;
using DeRa.Gateway.Options;
using k8s;
using k8s.Models;
using Xunit;

namespace DeRa.Chart.Tests;

/// <summary>The gateway finds the replicas, and nothing takes one for the other.</summary>
public class GatewayTests
{
    private static readonly IReadOnlyList<Manifest> s_manifests = HelmChart.Render(HelmChart.Example("gateway"), "canary");

    private static readonly V1Deployment s_gateway = Find<V1Deployment>("Deployment", "canary-dera-gateway");

    private static readonly V1Deployment s_replicas = Find<V1Deployment>("Deployment", "canary-dera");

    [Fact]
    public void It_looks_up_a_headless_service_of_all_replicas()
    {
        var service = Find<V1Service>("Service", "canary-dera-replicas");
        Assert.Equal("None", service.Spec.ClusterIP);
        // It asks each for itself whether it is ready, and a draining one still runs what may be changed in mid-stream.
        Assert.True(service.Spec.PublishNotReadyAddresses);
        AssertFinds(service.Spec.Selector, s_replicas, s_gateway);
        var ports = service.Spec.Ports.ToDictionary(port => port.Name, port => port.Port);
        Assert.Contains($"--replica-dns=http://canary-dera-replicas:{ports["http"]}+{ports["grpc"]}", Container(s_gateway).Args);
        Assert.Equal(Container(s_replicas).Ports.Select(port => (port.Name, port.ContainerPort)),
            service.Spec.Ports.Select(port => (port.Name, port.Port)));
    }

    [Fact]
    public void Its_own_selectors_find_it_alone()
    {
        AssertFinds(s_gateway.Spec.Selector.MatchLabels, s_gateway, s_replicas);
        AssertFinds(Find<V1Service>("Service", "canary-dera-gateway").Spec.Selector, s_gateway, s_replicas);
        AssertFinds(s_replicas.Spec.Selector.MatchLabels, s_replicas, s_gateway);
        AssertFinds(Find<V1Service>("Service", "canary-dera").Spec.Selector, s_replicas, s_gateway);
        AssertFinds(Find<V1PodDisruptionBudget>("PodDisruptionBudget", "canary-dera-gateway").Spec.Selector.MatchLabels,
            s_gateway, s_replicas);
        AssertFinds(Find<V1PodDisruptionBudget>("PodDisruptionBudget", "canary-dera").Spec.Selector.MatchLabels, s_replicas, s_gateway);
    }

    [Theory]
    [InlineData("canary-dera")]
    [InlineData("canary-dera-gateway")]
    public void Each_is_scraped_once(string monitor)
    {
        var selector = s_manifests.Single(manifest => manifest.Kind == "ServiceMonitor" && manifest.Name == monitor).Json
            .GetProperty("spec").GetProperty("selector").GetProperty("matchLabels").EnumerateObject()
            .ToDictionary(label => label.Name, label => label.Value.GetString()!);
        var services = s_manifests.Where(manifest => manifest.Kind == "Service")
            .Select(manifest => KubernetesYaml.Deserialize<V1Service>(manifest.Text, strict: true))
            .Where(service => !selector.Except(service.Metadata.Labels).Any());
        Assert.Equal(monitor, Assert.Single(services).Metadata.Name);
    }

    [Fact]
    public void The_route_leads_to_it_and_the_network_policy_lets_it_reach_the_replicas()
    {
        Assert.Equal("canary-dera-gateway", s_manifests.Single(manifest => manifest.Kind == "HTTPRoute").Json
            .GetProperty("spec").GetProperty("rules")[0].GetProperty("backendRefs")[0].GetProperty("name").GetString());
        AssertFinds(Find<V1NetworkPolicy>("NetworkPolicy", "canary-dera").Spec.Ingress[0].FromProperty[0].PodSelector.MatchLabels,
            s_gateway, s_replicas);
    }

    [Fact]
    public void Its_pod_is_as_strict_as_a_replicas_and_drains_as_long()
    {
        var (gateway, replica) = (s_gateway.Spec.Template.Spec, s_replicas.Spec.Template.Spec);
        Assert.Equal(replica.TerminationGracePeriodSeconds, gateway.TerminationGracePeriodSeconds);
        Assert.Equal((replica.SecurityContext.RunAsUser, true), (gateway.SecurityContext.RunAsUser, gateway.SecurityContext.RunAsNonRoot));
        Assert.True(Container(s_gateway).SecurityContext is { ReadOnlyRootFilesystem: true, AllowPrivilegeEscalation: false });
        Assert.Equal(["/app/dera", "gateway"], Container(s_gateway).Command);
        Assert.Equal("prometheus-key", Container(s_gateway).Env.Single().ValueFrom.SecretKeyRef.Name);
    }

    [Fact]
    public void Its_arguments_and_variables_are_options_of_the_gateway()
    {
        var container = Container(s_gateway);
        var options = OptionReader.Read([.. container.Args], container.Env.ToDictionary(variable => variable.Name, _ => "secret"));
        var ports = container.Ports.ToDictionary(port => port.Name, port => port.ContainerPort);
        Assert.Equal((ports["http"], ports["grpc"]), (options.Endpoint.HttpPort, options.Endpoint.GrpcPort));
        Assert.Equal("0.0.0.0", options.Endpoint.Host);
        Assert.NotEmpty(options.Replica.ReplicaDns);
    }

    [Theory]
    [InlineData("", null)]
    [InlineData("ca.crt", "/etc/dera/tls/ca.crt")]
    public void With_TLS_it_shows_the_replicas_certificate_and_asks_them_for_theirs_by_name(string caKey, string? authority)
    {
        var manifests = HelmChart.Render(
            $$"""{tlsSecret: certificate, serviceMonitor: {enabled: true}, gateway: {enabled: true, caKey: "{{caKey}}" } }""", "canary");
        var pod = Find<V1Deployment>("Deployment", "canary-dera-gateway", manifests).Spec.Template.Spec;
        var container = Assert.Single(pod.Containers);
        var options = OptionReader.Read([.. container.Args], new Dictionary<string, string>());
        Assert.Equal(["https://canary-dera-replicas:8080+8081"], options.Replica.ReplicaDns);
        Assert.Equal(authority, options.Replica.ReplicaCa);
        Assert.Equal(("/etc/dera/tls/tls.crt", "/etc/dera/tls/tls.key"), (options.Tls.TlsCertificate, options.Tls.TlsKey));
        var mount = container.VolumeMounts.Single(mount => mount.MountPath == "/etc/dera/tls");
        Assert.Equal("certificate", pod.Volumes.Single(volume => volume.Name == mount.Name).Secret.SecretName);
        Assert.Equal("HTTPS", container.ReadinessProbe.HttpGet.Scheme);
        Assert.Equal(["https", "https"],
            Find<V1Service>("Service", "canary-dera-gateway", manifests).Spec.Ports.Select(port => port.AppProtocol));
        Assert.Equal("https", manifests.Single(manifest => manifest is { Kind: "ServiceMonitor", Name: "canary-dera-gateway" }).Json
            .GetProperty("spec").GetProperty("endpoints")[0].GetProperty("scheme").GetString());
    }

    private static void AssertFinds(IDictionary<string, string> selector, V1Deployment wanted, V1Deployment other)
    {
        Assert.NotEmpty(selector);
        Assert.Empty(selector.Except(wanted.Spec.Template.Metadata.Labels));
        Assert.NotEmpty(selector.Except(other.Spec.Template.Metadata.Labels));
    }

    private static V1Container Container(V1Deployment deployment) => Assert.Single(deployment.Spec.Template.Spec.Containers);

    private static T Find<T>(string kind, string name, IReadOnlyList<Manifest>? manifests = null) => KubernetesYaml.Deserialize<T>(
        (manifests ?? s_manifests).Single(manifest => manifest.Kind == kind && manifest.Name == name).Text, strict: true);
}
