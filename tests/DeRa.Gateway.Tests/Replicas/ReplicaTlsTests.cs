using System.Net;
using System.Net.Sockets;
using DeRa.Gateway.Composition;
using DeRa.Gateway.Options;
using DeRa.Gateway.Replicas;
using DeRa.Gateway.Tests.Fixtures;
using DeRa.Hosting.Options;
using DeRa.Protos.V1;
using DeRa.Testing;
using DeRa.Testing.Server;
using Grpc.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;
using Xunit;

namespace DeRa.Gateway.Tests.Replicas;

public sealed class ReplicaTlsTests : IDisposable
{
    private const string Name = "dera-headless";

    private readonly Authority _authority = new();
    private readonly Lines _lines = new();

    public void Dispose() => _authority.Dispose();

    [Fact]
    public async Task HTTP_and_gRPC_reach_a_replica_on_the_one_port_by_a_certificate_of_the_authority()
    {
        await using var server = await _authority.ServeAsync("127.0.0.1");
        await using var gateway = await GatewayFixture.StartAsync(Options(server, _authority.File));
        await AssertWorksAsync(gateway);
    }

    [Fact]
    public async Task A_replica_that_was_looked_up_is_asked_for_its_name()
    {
        await using var server = await _authority.ServeAsync(Name, Name);
        await using var gateway = await ByNameAsync(server, _authority.File, isReady: true);
        await AssertWorksAsync(gateway);
    }

    [Fact]
    public async Task A_certificate_for_another_name_is_refused_with_the_reason()
    {
        await using var server = await _authority.ServeAsync("other");
        await using var gateway = await ByNameAsync(server, _authority.File, isReady: false);
        await AssertRefusedAsync(gateway, $"The replica's certificate cannot be used for '{Name}': RemoteCertificateNameMismatch.");
    }

    [Fact]
    public async Task A_certificate_of_another_authority_is_refused_with_the_reason()
    {
        using var other = new Authority();
        await using var server = await _authority.ServeAsync("127.0.0.1");
        await using var gateway = await GatewayFixture.StartAsync(Options(server, other.File), _lines, isReady: false);
        await AssertRefusedAsync(gateway, "The replica's certificate is not of an authority in --replica-ca: ");
    }

    [Fact]
    public async Task A_certificate_that_the_machine_does_not_trust_is_refused_with_the_reason()
    {
        await using var server = await _authority.ServeAsync("127.0.0.1");
        await using var gateway = await GatewayFixture.StartAsync(Options(server, null), _lines, isReady: false);
        await AssertRefusedAsync(gateway, "The remote certificate is invalid ");
    }

    [Fact]
    public async Task An_authority_that_changes_is_read_again()
    {
        using var other = new Authority();
        using var folder = new TemporaryFolder();
        var path = folder.Write("ca.crt", File.ReadAllText(other.File));
        await using var server = await _authority.ServeAsync("127.0.0.1");
        var trust = new ReplicaTrust(new() { ReplicaCa = path });
        using var http = new HttpClient(new SocketsHttpHandler { SslOptions = trust.Handshake() });
        var probe = new Uri(server.Http.BaseAddress!, "/readyz");
        await Assert.ThrowsAsync<HttpRequestException>(() => http.GetAsync(probe, ServerFixture.Stop));
        File.Copy(_authority.File, path, overwrite: true);
        trust.File!.Refresh(NullLogger.Instance);
        using var ready = await http.GetAsync(probe, ServerFixture.Stop);
        Assert.Equal(HttpStatusCode.OK, ready.StatusCode);
    }

    [Theory]
    [InlineData("what", "There is none in it.")]
    [InlineData("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n", "There is none in it.")]
    [InlineData("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", "")]
    public void A_file_without_a_certificate_is_refused_at_the_start(string content, string reason)
    {
        using var folder = new TemporaryFolder();
        var path = folder.Write("ca.crt", content);
        var options = GatewayFixture.Options("https://a") with { Replica = new() { Replicas = ["https://a"], ReplicaCa = path } };
        var wrong = Assert.Throws<OptionException>(() => GatewayApplication.Build(options, TimeProvider.System, _ => { }));
        Assert.StartsWith($"{path} (--replica-ca) cannot be used: {reason}", wrong.Message, StringComparison.Ordinal);
        Assert.EndsWith(" It must be a PEM file of the certificates of the authorities that are trusted.", wrong.Message,
            StringComparison.Ordinal);
    }

    [Fact]
    public void A_file_that_is_not_there_is_refused_at_the_start()
    {
        var wrong = Assert.Throws<OptionException>(() => new ReplicaTrust(new() { ReplicaCa = "/nowhere/ca.crt" }));
        Assert.Contains("--replica-ca", wrong.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_replica_that_never_shakes_hands_cannot_be_reached()
    {
        await using var stub = await StubReplica.StartAsync();
        using var silent = new TcpListener(IPAddress.Loopback, 0);
        silent.Start();
        var options = GatewayFixture.Options();
        options = options with
        {
            Health = options.Health with { HealthSeconds = 3600, EjectSeconds = 3600 },
            Forwarding = options.Forwarding with { ConnectSeconds = .1 },
        };
        await using var gateway = await GatewayFixture.StartAsync(options, isReady: false);
        gateway.Replicas.Set("test", [new ReplicaAddress(new Uri(stub.Name), new Uri($"https://{silent.LocalEndpoint}"))]);
        await ServerFixture.EventuallyAsync(() => gateway.Replicas.All[0].IsReady);
        var refused = await Assert.ThrowsAsync<RpcException>(() => GenerateAsync(gateway));
        Assert.Equal((StatusCode.Unavailable, "No replica could be reached."), (refused.StatusCode, refused.Status.Detail));
        Assert.False(gateway.Replicas.All[0].IsAvailable);
        Assert.Equal(1, await gateway.MetricAsync($"dera_gateway_ejections_total{{reason=\"unreachable\",replica=\"{stub.Name}\"}}"));
    }

    private static GatewayOptions Options(ServerFixture server, string? authority) => GatewayFixture.Options() with
    {
        Replica = new() { Replicas = [$"https://127.0.0.1:{server.Http.BaseAddress!.Port}"], ReplicaCa = authority },
    };

    private Task<GatewayFixture> ByNameAsync(ServerFixture server, string authority, bool isReady)
    {
        var replicas = new ReplicaOptions { ReplicaDns = [$"https://{Name}:{server.Http.BaseAddress!.Port}"], ReplicaCa = authority };
        return GatewayFixture.StartAsync(GatewayFixture.Options() with { Replica = replicas }, _lines,
            services => services.AddSingleton<INameLookup>(new Loopback()), isReady);
    }

    private static async Task AssertWorksAsync(GatewayFixture gateway)
    {
        Assert.Equal(200, (await gateway.CompleteAsync("""{"prompt":"a","max_tokens":1}""")).Status);
        Assert.Equal("pair", (await GenerateAsync(gateway)).Model);
    }

    private async Task AssertRefusedAsync(GatewayFixture gateway, string reason)
    {
        await ServerFixture.EventuallyAsync(() => _lines.All.Any(line => line.Contains(" gets no requests: ", StringComparison.Ordinal)));
        Assert.StartsWith(reason, gateway.Replicas.All[0].Reason, StringComparison.Ordinal);
        using var ready = await gateway.Http.GetAsync("/readyz", ServerFixture.Stop);
        Assert.Equal(HttpStatusCode.ServiceUnavailable, ready.StatusCode);
        Assert.Contains($"\":\"{reason.Replace("'", "\\u0027", StringComparison.Ordinal)}",
            await ready.Content.ReadAsStringAsync(ServerFixture.Stop), StringComparison.Ordinal);
        Assert.Contains(_lines.All, line =>
            line.StartsWith($"Replica {gateway.Replicas.All[0].Name} gets no requests: {reason}", StringComparison.Ordinal));
        Assert.Equal(503, (await gateway.CompleteAsync("""{"prompt":"a"}""")).Status);
        await Assert.ThrowsAsync<RpcException>(() => GenerateAsync(gateway));
    }

    private static Task<GenerateResponse> GenerateAsync(GatewayFixture gateway) => gateway.Inference.GenerateAsync(
        new() { Prompt = new() { Text = "a" }, Options = new() { MaxTokens = 1 } }, cancellationToken: ServerFixture.Stop).ResponseAsync;

    private sealed class Loopback : INameLookup
    {
        public Task<IReadOnlyList<IPAddress>> FindAsync(string name, CancellationToken cancellation) =>
            Task.FromResult<IReadOnlyList<IPAddress>>([IPAddress.Loopback]);
    }
}
