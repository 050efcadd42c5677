using System.Text.RegularExpressions;
using Xunit;

namespace DeRa.Cli.Tests;

/// <summary><c>dera serve</c> is the server.</summary>
public partial class ServerCommandTests
{
    [Fact]
    public async Task It_takes_the_servers_options_serves_and_ends_when_it_is_asked_to()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "needs signals");
        using var serve = new CliProcess("serve", "--http-port", "0", "--grpc-port", "0", "--device", "cpu", "--name", "tales");
        var log = await serve.ReadAsync("ready: ");
        using var http = new HttpClient
        {
            BaseAddress = new Uri(HttpAddress().Match(log).Groups[1].Value),
        };
        var models = await http.GetStringAsync("v1/models", TestContext.Current.CancellationToken);
        Assert.Contains("\"tales\"", models, StringComparison.Ordinal);
        serve.Signal("TERM");
        Assert.Equal(0, (await serve.EndAsync()).Code);
    }

    [Fact]
    public async Task Its_help_and_its_errors_are_the_servers()
    {
        var help = await CommandRun.OfAsync("serve", "--help");
        Assert.Equal(0, help.Code);
        Assert.Contains("--http-port", help.Out, StringComparison.Ordinal);
        var wrong = await CommandRun.OfAsync("serve", "--http-port", "x");
        Assert.Equal(2, wrong.Code);
        Assert.Contains("--http-port", wrong.Error, StringComparison.Ordinal);
    }

    [GeneratedRegex(@"HTTP on (http://[^\s]+)")]
    private static partial Regex HttpAddress();
}
