using DeRa.Cli;
using DeRa.Gateway.Tests.Fixtures;
using DeRa.Testing;
using DeRa.Testing.Server;
using Xunit;

namespace DeRa.Gateway.Tests;

public class SweepTests
{
    [Fact]
    public async Task A_sweep_through_the_gateway_gives_the_rows_of_a_single_server()
    {
        await using var one = await TestReplica.StartAsync();
        await using var two = await TestReplica.StartAsync();
        await using var gateway = await GatewayFixture.StartAsync(one.Address, two.Address);
        using var folder = new TemporaryFolder();
        var prompts = folder.Write("prompts.txt", string.Join('\n', Enumerable.Range(0, 12).Select(i => $"Prompt number {i}")) + "\n");
        var through = await RunAsync(gateway.Http.BaseAddress!, prompts, Path.Combine(folder.Path, "through"));
        Assert.All([one, two], replica => Assert.NotEqual(0, replica.Server.Executor.TokensRun.Sum()));
        Assert.Equal(await RunAsync(one.Server.Http.BaseAddress!, prompts, Path.Combine(folder.Path, "direct")), through);
        Assert.Equal(12 * 3, through.Count(character => character == '\n'));
    }

    private static async Task<string> RunAsync(Uri server, string prompts, string output)
    {
        using var error = new StringWriter();
        var code = await Commands.RunAsync(["sweep", "--url", server.ToString(), "--prompts", prompts, "--strengths", "0,0.5,2",
            "--samples", "1", "--max-tokens", "4", "--reward", "length:0-5", "--output", output],
            TextWriter.Null, error, ServerFixture.Stop);
        Assert.True(code == 0, error.ToString());
        return await File.ReadAllTextAsync(Path.Combine(output, "results.jsonl"), ServerFixture.Stop);
    }
}
