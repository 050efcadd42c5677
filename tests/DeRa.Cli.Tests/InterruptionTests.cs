using DeRa.Testing;
using DeRa.Testing.Hub;
using Xunit;

namespace DeRa.Cli.Tests;

/// <summary>Ctrl+C and SIGTERM end every command quietly, with the code that shells know, whatever it is at.</summary>
[Collection(HubEnvironment.Collection)]
public class InterruptionTests
{
    private static readonly string[] s_pair =
        ["--reference", GoldenData.Committed("pair/sft"), "--aligned", GoldenData.Committed("pair/aligned"), "--device", "cpu"];

    [Theory]
    [InlineData("INT", 130)]
    [InlineData("TERM", 143)]
    public async Task A_download_ends_and_goes_on_later(string signal, int code)
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "needs signals");
        await using var environment = new HubEnvironment(GoldenData.Committed("pair/sft"));
        environment.Hub.Next(FakeHub.InStorage("model.safetensors"), async context =>
        {
            context.Response.ContentLength = environment.Hub["model.safetensors"].Length;
            await context.Response.Body.WriteAsync(environment.Hub["model.safetensors"].AsMemory(0, 1000));
            await context.Response.Body.FlushAsync();
            await FakeHub.UntilGone(context);
        });
        using var pull = new CliProcess("pull", "org/model");
        var incomplete = environment.Blob("model.safetensors") + ".incomplete";
        // A poll: the file decides, not the time; a download that ends before fails below.
        while (!pull.HasExited && (!File.Exists(incomplete) || new FileInfo(incomplete).Length < 1000))
            await Task.Delay(2, TestContext.Current.CancellationToken);
        pull.Signal(signal);
        var run = await pull.EndAsync();
        Assert.Equal((code, ""), (run.Code, run.Out));
        AssertQuiet(run.Error);
        Assert.Equal(0, (await CommandRun.OfAsync("pull", "org/model")).Code);
        Assert.Contains(environment.Hub.StorageRequests, request => request.Range == "bytes=1000-");
    }

    [Fact]
    public async Task A_generation_ends_its_line()
    {
        using var stop = new CancellationTokenSource();
        var (output, error) = (new StoppingWriter(stop, "Once"), new StringWriter());
        Assert.Equal(130, await Commands.RunAsync(["generate", .. s_pair, "--ignore-eos", "Once"], output, error, stop.Token));
        Assert.Equal("", error.ToString());
        Assert.StartsWith("Once", output.ToString(), StringComparison.Ordinal);
        Assert.EndsWith(Environment.NewLine, output.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_command_that_is_cancelled_says_nothing()
    {
        using var stopped = new CancellationTokenSource();
        await stopped.CancelAsync();
        string[][] commands = [["generate", .. s_pair, "Once"], ["generate", "-"], ["verify", GoldenData.Committed("pair/sft")]];
        foreach (var command in commands)
        {
            var (output, error) = (new StringWriter(), new StringWriter());
            Assert.Equal(130, await Commands.RunAsync(command, output, error, stopped.Token));
            Assert.Equal("", error.ToString());
        }
    }

    private static void AssertQuiet(string error)
    {
        Assert.DoesNotContain("cancel", error, StringComparison.OrdinalIgnoreCase);
        Assert.DoesNotContain("dera:", error, StringComparison.Ordinal);
    }

    /// <summary>An output that somebody interrupts when a text comes to it.</summary>
    private sealed class StoppingWriter(CancellationTokenSource stop, string at) : StringWriter
    {
        public override Task WriteAsync(string? value)
        {
            if (value == at) stop.Cancel();
            return base.WriteAsync(value);
        }
    }
}
