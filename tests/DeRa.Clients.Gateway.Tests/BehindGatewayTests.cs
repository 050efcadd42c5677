using DeRa.Clients.Tests.Own;
using DeRa.Protos.V1;
using DeRa.Testing.Server;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.Extensions.DependencyInjection;
using Xunit;

namespace DeRa.Clients.Gateway.Tests;

/// <summary>That the clients' tests are all here, and that none of their requests reaches a server past its gateway.</summary>
public class BehindGatewayTests
{
    /// <summary>
    /// What is installed from a package is the client that the other tests use, and no gateway makes a difference to the installation.
    /// </summary>
    private static readonly Type[] LeftOut = [typeof(PackageTests)];

    private static CancellationToken Stop => ServerFixture.Stop;

    [Fact]
    public void Each_class_of_the_clients_tests_is_here_or_left_out_with_a_reason()
    {
        var here = typeof(BehindGatewayTests).Assembly.GetTypes().Select(type => type.BaseType).ToHashSet();
        Assert.Equal(LeftOut, typeof(PackageTests).Assembly.GetTypes().Where(HasTests).Where(type => !here.Contains(type)));
    }

    [Fact]
    public async Task A_server_is_reached_through_its_gateway_over_both_transports()
    {
        await using var server = await ServerFixture.StartAsync();
        Assert.Contains("\"replicas\"", await server.Http.GetStringAsync("/readyz", Stop), StringComparison.Ordinal);
        Assert.Equal(0, server.Bypass!.Forwarded);
        await server.GetAsync("/v1/models");
        Assert.Equal(1, server.Bypass.Forwarded);
        await server.Inference.ListModelsAsync(new ListModelsRequest(), cancellationToken: Stop);
        Assert.Equal(2, server.Bypass.Forwarded);
        Assert.Empty(server.Bypass.Bypasses);
    }

    [Fact]
    public async Task A_request_past_the_gateway_fails_its_test()
    {
        var server = await ServerFixture.StartAsync();
        var own = server.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.First();
        Assert.NotEqual(server.Http.BaseAddress, new Uri(own));
        using var past = new HttpClient { BaseAddress = new Uri(own) };
        Assert.NotEmpty(await past.GetStringAsync("/v1/models", Stop));
        Assert.Equal(["/v1/models"], server.Bypass!.Bypasses);
        await Assert.ThrowsAsync<Xunit.Sdk.EmptyException>(() => server.DisposeAsync().AsTask());
    }

    private static bool HasTests(Type type) =>
        type.GetMethods().Any(method => method.DeclaringType == type && method.IsDefined(typeof(FactAttribute), inherit: true));
}
