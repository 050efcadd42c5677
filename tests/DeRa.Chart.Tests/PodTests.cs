using System.Collections;
using DeRa.Chart.Tests.Rendering;
using DeRa.Hosting.Options;
using DeRa.Server.Options;
using DeRa.Testing.Server;
using k8s;
using k8s.Models;
using Xunit;

namespace DeRa.Chart.Tests;

/// <summary>Pods fit the server: its options, its probes, its drain; and the other objects fit the pods.</summary>
public class PodTests
{
    public static TheoryData<string> Examples => [.. HelmChart.Examples];

    [Theory]
    [MemberData(nameof(Examples))]
    public void Arguments_are_options_of_the_server(string example)
    {
        var options = Options(example, out var deployment);
        var ports = Container(deployment).Ports.ToDictionary(port => port.Name, port => port.ContainerPort);
        Assert.Equal((ports["http"], ports["grpc"]), (options.Endpoint.HttpPort, options.Endpoint.GrpcPort));
        Assert.Equal("0.0.0.0", options.Endpoint.Host);
    }

    [Fact]
    public void Values_reach_the_server_as_they_were_written()
    {
        var options = Options("volume", out _);
        Assert.Equal("/models/sft", options.Model.Reference);
        Assert.Equal(["helpful=/models/helpful", "harmless=/models/harmless"], options.Model.Aligned);
        Assert.Equal(134_217_728, options.Body.PendingBodyBytes);
        Assert.Equal(["api.example.com", "*.internal.example.com"], options.Origin.AllowedHosts);
        Assert.Equal(.1, Options("everything", out _).Model.Beta);
    }

    [Fact]
    public void An_argument_that_is_no_option_is_found() =>
        Assert.Contains("--max-runing is not an option", Assert.Throws<OptionException>(
            () => Options(HelmChart.Render("options: {max-runing: 3}"), out _)).Message, StringComparison.Ordinal);

    [Theory]
    [MemberData(nameof(Examples))]
    public void Kubernetes_kills_no_sooner_than_the_drain_has_ended(string example)
    {
        var options = Options(example, out var deployment);
        var sleep = Container(deployment).Lifecycle.PreStop.Exec.Command;
        Assert.Equal("sleep", sleep[0]);
        // As docs/operations.md asks: the drain, and 15 s for what hangs.
        Assert.Equal(int.Parse(sleep[1], null) + options.Time.DrainSeconds + 15,
            deployment.Spec.Template.Spec.TerminationGracePeriodSeconds);
    }

    [Theory]
    [MemberData(nameof(Examples))]
    public void Containers_are_not_root_and_write_nothing_but_volumes(string example)
    {
        var pod = Deployment(HelmChart.Render(HelmChart.Example(example))).Spec.Template.Spec;
        Assert.True(pod.SecurityContext is { RunAsNonRoot: true, RunAsUser: > 0 });
        foreach (var container in pod.Containers.Concat(pod.InitContainers ?? []))
        {
            Assert.True(container.SecurityContext is { ReadOnlyRootFilesystem: true, AllowPrivilegeEscalation: false });
            Assert.Equal(["ALL"], container.SecurityContext.Capabilities.Drop);
            Assert.NotNull(container.Resources.Limits["memory"]);
            Assert.Contains("/tmp", container.VolumeMounts.Select(mount => mount.MountPath));
            Assert.Empty(container.VolumeMounts.Select(mount => mount.Name).Except(pod.Volumes.Select(volume => volume.Name)));
        }
        Assert.Empty(pod.Volumes.Select(volume => volume.Name).Except(Container(pod).VolumeMounts.Select(mount => mount.Name)));
    }

    [Fact]
    public async Task The_server_answers_all_probes_and_the_scrape()
    {
        var manifests = HelmChart.Render(HelmChart.Example("everything"));
        var container = Container(Deployment(manifests));
        var paths = new[] { container.StartupProbe, container.LivenessProbe, container.ReadinessProbe }.Select(probe => probe.HttpGet.Path)
            .Append(manifests.Single(manifest => manifest.Kind == "ServiceMonitor").Json
                .GetProperty("spec").GetProperty("endpoints")[0].GetProperty("path").GetString()!);
        await using var server = await ServerFixture.StartAsync();
        foreach (var path in paths) Assert.Equal(200, (await server.GetAsync(path)).Status);
    }

    [Theory]
    [MemberData(nameof(Examples))]
    public void All_selectors_find_the_pods(string example)
    {
        var manifests = HelmChart.Render(HelmChart.Example(example), "canary");
        var deployment = Deployment(manifests);
        var labels = deployment.Spec.Template.Metadata.Labels;
        var service = Read<V1Service>(manifests, "Service");
        var ports = Container(deployment).Ports.Select(port => port.Name).ToList();
        Assert.Equal(ports, service.Spec.Ports.Select(port => port.TargetPort.Value));
        List<IDictionary<string, string>> selectors = [service.Spec.Selector, deployment.Spec.Selector.MatchLabels,
            Read<V1PodDisruptionBudget>(manifests, "PodDisruptionBudget").Spec.Selector.MatchLabels];
        if (manifests.Any(manifest => manifest.Kind == "NetworkPolicy"))
            selectors.Add(Read<V1NetworkPolicy>(manifests, "NetworkPolicy").Spec.PodSelector.MatchLabels);
        // The monitor selects services, which have the pods' labels.
        selectors.AddRange(OfReplicas(manifests).Where(manifest => manifest.Kind is "InferencePool" or "ServiceMonitor")
            .Select(manifest => manifest.Json.GetProperty("spec").GetProperty("selector").GetProperty("matchLabels").EnumerateObject()
                .ToDictionary(label => label.Name, label => label.Value.GetString()!)));
        Assert.All(selectors, selector =>
        {
            Assert.Equal("canary", selector["app.kubernetes.io/instance"]);
            Assert.Empty(selector.Except(labels));
        });
        Assert.Empty(service.Spec.Selector.Except(service.Metadata.Labels));
    }

    [Fact]
    public void An_init_container_pulls_what_the_server_then_reads_offline()
    {
        var pod = Deployment(HelmChart.Render(HelmChart.Example("hub"))).Spec.Template.Spec;
        var pull = Assert.Single(pod.InitContainers);
        Assert.Equal(["/app/dera", "pull"], pull.Command);
        Assert.Equal(["HuggingFaceH4/mistral-7b-sft-beta", "HuggingFaceH4/zephyr-7b-beta"], pull.Args);
        var server = Container(pod);
        Assert.Contains(server.Env, variable => variable is { Name: "HF_HUB_OFFLINE", Value: "1" });
        Assert.All([pull, server], container =>
        {
            var home = container.Env.Single(variable => variable.Name == "HF_HOME").Value;
            Assert.Equal("huggingface", container.VolumeMounts.Single(mount => mount.MountPath == home).Name);
        });
        Assert.Equal("huggingface", pod.Volumes.Single(volume => volume.Name == "huggingface").PersistentVolumeClaim.ClaimName);
    }

    [Fact]
    public void A_name_for_requests_is_no_part_of_what_is_pulled()
    {
        var pod = Deployment(HelmChart.Render(
            "models: {reference: a/b, aligned: [kind=a/kind, a/plain@x=y], hub: {pull: true}}")).Spec.Template.Spec;
        Assert.Equal(["a/b", "a/kind", "a/plain@x=y"], pod.InitContainers[0].Args);
    }

    private static ServerOptions Options(string example, out V1Deployment deployment) =>
        Options(HelmChart.Render(HelmChart.Example(example)), out deployment);

    /// <summary>Without looking for models, which are in no folder here.</summary>
    private static ServerOptions Options(IReadOnlyList<Manifest> manifests, out V1Deployment deployment)
    {
        deployment = Deployment(manifests);
        return OptionReader.Table.Read([.. Container(deployment).Args], new Hashtable(), _ => null);
    }

    private static V1Deployment Deployment(IReadOnlyList<Manifest> manifests) => Read<V1Deployment>(manifests, "Deployment");

    private static V1Container Container(V1Deployment deployment) => Container(deployment.Spec.Template.Spec);

    private static V1Container Container(V1PodSpec pod) => Assert.Single(pod.Containers);

    private static T Read<T>(IReadOnlyList<Manifest> manifests, string kind) =>
        KubernetesYaml.Deserialize<T>(OfReplicas(manifests).Single(manifest => manifest.Kind == kind).Text, strict: true);

    /// <summary>The gateway's have tests of their own.</summary>
    private static IEnumerable<Manifest> OfReplicas(IReadOnlyList<Manifest> manifests) =>
        manifests.Where(manifest => manifest.Template != "gateway.yaml");
}
