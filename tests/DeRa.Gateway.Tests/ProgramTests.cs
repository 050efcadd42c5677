using System.Collections;
using DeRa.Gateway.Composition;
using DeRa.Gateway.Options;
using DeRa.Gateway.Tests.Fixtures;
using DeRa.Hosting.Options;
using DeRa.Hosting.Programs;
using DeRa.Testing.Server;
using Xunit;

namespace DeRa.Gateway.Tests;

public class ProgramTests
{
    [Fact]
    public async Task A_gateway_that_is_killed_in_mid_stream_leaves_nothing_behind_on_its_replicas()
    {
        await using var replica = await TestReplica.StartAsync(Scripts.Endless());
        await using var gateway = await GatewayProcess.StartAsync("--replicas", replica.Address);
        using var request = new HttpRequestMessage(HttpMethod.Post, "/v1/completions")
        {
            Content = new StringContent("""{"prompt":"a","stream":true,"max_tokens":1000000}""", null, "application/json"),
        };
        using var response = await gateway.Http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, ServerFixture.Stop);
        using var reader = new StreamReader(await response.Content.ReadAsStreamAsync(ServerFixture.Stop));
        Assert.StartsWith("data: ", await reader.ReadLineAsync(ServerFixture.Stop), StringComparison.Ordinal);
        Assert.Equal(1, replica.Engine.Status.RunningSequences);
        gateway.Kill();
        await Assert.ThrowsAnyAsync<IOException>(() => reader.ReadToEndAsync(ServerFixture.Stop));
        await ServerFixture.EventuallyAsync(() => replica.Engine.Status is { BlocksInUse: 0, RunningSequences: 0 });
    }

    [Theory]
    [InlineData("There are no replicas: name them by --replicas, --replica-dns or --replica-file.")]
    [InlineData("--replicas holds 'a:8080'; an address must be http://HOST:PORT, with +PORT where gRPC has a port of its own, "
        + "such as http://10.0.0.1:8080+8081.", "--replicas=a:8080")]
    [InlineData("--load-bound is '0.5' (command line); it must be a number from 1 to 100.", "--replicas=http://a", "--load-bound=0.5")]
    [InlineData("--policy is 'random' (command line); it must be prefix-affinity, least-requests or round-robin.",
        "--replicas=http://a", "--policy=random")]
    [InlineData("--max-pending-body-bytes is 5000; it must be at least --max-body-bytes, 4194304.",
        "--replicas=http://a", "--max-pending-body-bytes=5000")]
    [InlineData("--backends is not an option: here it is --replicas (see --help).", "--backends=http://a")]
    public async Task Wrong_options_end_it_with_one_line(string expected, params string[] arguments)
    {
        using var errors = new StringWriter();
        var code = await GatewayProgram.RunAsync(arguments, new Hashtable(), TextWriter.Null, errors, ServerFixture.Stop);
        Assert.Equal(HostedProgram.BadOption, code);
        Assert.Equal(expected, errors.ToString().TrimEnd());
    }

    [Fact]
    public async Task Help_lists_every_option()
    {
        using var output = new StringWriter();
        Assert.Equal(0, await GatewayProgram.RunAsync(["--help"], new Hashtable(), output, TextWriter.Null, ServerFixture.Stop));
        Assert.All(OptionReader.Table.All, option => Assert.Contains($"  --{option.Name} ", output.ToString(), StringComparison.Ordinal));
    }

    [Fact]
    public void Replicas_come_from_the_environment_too()
    {
        var options = OptionReader.Read([], new Hashtable { ["DERA_GATEWAY_REPLICAS"] = "http://a,http://b" });
        Assert.Equal(["http://a", "http://b"], options.Replica.Replicas);
        Assert.Throws<OptionException>(() => OptionReader.Read([], new Hashtable { ["DERA_GATEWAY_REPLICA"] = "http://a" }));
    }
}
