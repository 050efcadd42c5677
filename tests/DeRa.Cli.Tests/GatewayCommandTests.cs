using DeRa.Gateway.Options;
using Xunit;

namespace DeRa.Cli.Tests;

public class GatewayCommandTests
{
    [Fact]
    public async Task Its_help_lists_the_gateways_options()
    {
        var help = await CommandRun.OfAsync("gateway", "--help");
        Assert.Equal(0, help.Code);
        Assert.All(OptionReader.Table.All, option => Assert.Contains($"  --{option.Name} ", help.Out, StringComparison.Ordinal));
    }

    [Fact]
    public async Task Without_replicas_it_ends_with_one_line() =>
        Assert.Equal(new CommandRun(2, "", "There are no replicas: name them by --replicas, --replica-dns or --replica-file.\n"),
            await CommandRun.OfAsync("gateway", "--http-port", "0"));
}
