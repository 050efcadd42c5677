using System.Net;
using System.Net.Sockets;
using DeRa.Gateway.Replicas;
using DeRa.Hosting.Options;
using DeRa.Hosting.Security;
using DeRa.Testing;
using DeRa.Testing.Server;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;
using Xunit;

namespace DeRa.Gateway.Tests.Replicas;

public class DiscoveryTests
{
    [Fact]
    public void A_file_is_read_again_and_replicas_that_stay_keep_their_state()
    {
        using var folder = new TemporaryFolder();
        var path = Path.Combine(folder.Path, "replicas");
        File.WriteAllText(path, "http://a:8080+8081 # first\n\n# none\nhttp://b:8080\n");
        var set = new ReplicaSet(new(), TimeProvider.System, NullLogger<ReplicaSet>.Instance);
        var file = ReplicaFile.Open(path, set);
        Assert.Equal(["http://a:8080", "http://b:8080"], set.All.Select(replica => replica.Name));
        var stays = set.All[1];
        File.WriteAllText(path, "http://b:8080\nhttp://c:8080\n");
        file.Refresh(NullLogger.Instance);
        Assert.Equal(["http://b:8080", "http://c:8080"], set.All.Select(replica => replica.Name));
        Assert.Same(stays, set.All[0]);
        File.WriteAllText(path, "b:8080\n");
        file.Refresh(NullLogger.Instance);
        Assert.Equal(2, set.All.Count);
    }

    [Fact]
    public void A_file_that_holds_something_else_is_refused_with_its_line()
    {
        using var folder = new TemporaryFolder();
        var path = Path.Combine(folder.Path, "replicas");
        File.WriteAllText(path, "http://a:8080\nwhat\n");
        var set = new ReplicaSet(new(), TimeProvider.System, NullLogger<ReplicaSet>.Instance);
        var bad = Assert.Throws<OptionException>(() => ReplicaFile.Open(path, set));
        Assert.StartsWith($"{path} (--replica-file), line 2, holds 'what'; an address must be", bad.Message, StringComparison.Ordinal);
        Assert.Throws<OptionException>(() => ReplicaFile.Open(Path.Combine(folder.Path, "none"), set));
    }

    [Fact]
    public void A_gateway_rereads_the_file_of_its_options()
    {
        using var folder = new TemporaryFolder();
        var path = Path.Combine(folder.Path, "replicas");
        File.WriteAllText(path, "http://a:8080\n");
        var options = GatewayFixture.Options() with { Replica = new() { ReplicaFile = path } };
        var app = Composition.GatewayApplication.Build(options, TimeProvider.System, _ => { });
        Assert.Equal("http://a:8080", Assert.Single(app.Services.GetRequiredService<ReplicaSet>().All).Name);
        Assert.Single(app.Services.GetServices<ReloadedFiles>());
    }

    [Fact]
    public async Task Each_address_of_a_name_is_a_replica_now_and_later()
    {
        var names = new Names([IPAddress.Parse("10.0.0.1"), IPAddress.Parse("10.0.0.2")]);
        var time = new Microsoft.Extensions.Time.Testing.FakeTimeProvider();
        var set = new ReplicaSet(new(), time, NullLogger<ReplicaSet>.Instance);
        using var discovery = new DnsDiscovery(
            set, new() { ReplicaDns = ["http://dera:8080+8081"], DiscoverySeconds = 5 }, names, time, NullLogger<DnsDiscovery>.Instance);
        await discovery.StartAsync(ServerFixture.Stop);
        await ServerFixture.EventuallyAsync(() => set.All.Count == 2);
        Assert.Equal("dera", names.Asked);
        Assert.Equal(ReplicaAddress.Parse("http://10.0.0.1:8080+8081", "") with { HostName = "dera" }, set.All[0].Address);
        names.Addresses = null;
        await names.AskedAgainAsync(time);
        Assert.Equal(2, set.All.Count);
        names.Addresses = [IPAddress.Parse("10.0.0.2"), IPAddress.Parse("10.0.0.3")];
        await names.AskedAgainAsync(time);
        await ServerFixture.EventuallyAsync(() => set.All[0].Name == "http://10.0.0.2:8080");
        Assert.Equal("http://10.0.0.3:8080", set.All[1].Name);
        await discovery.StopAsync(ServerFixture.Stop);
    }

    private sealed class Names(IPAddress[] addresses) : INameLookup
    {
        private int _count;

        public IPAddress[]? Addresses { get; set; } = addresses;

        public string? Asked { get; private set; }

        public Task<IReadOnlyList<IPAddress>> FindAsync(string name, CancellationToken cancellation)
        {
            Asked = name;
            Interlocked.Increment(ref _count);
            return Addresses is { } own ? Task.FromResult<IReadOnlyList<IPAddress>>(own) : throw new SocketException(11001);
        }

        public async Task AskedAgainAsync(Microsoft.Extensions.Time.Testing.FakeTimeProvider time)
        {
            var before = Volatile.Read(ref _count);
            await ServerFixture.EventuallyAsync(() =>
            {
                time.Advance(TimeSpan.FromSeconds(1));
                return Volatile.Read(ref _count) > before;
            });
        }
    }
}
