using DeRa.Hosting.Programs;
using DeRa.Server.Composition;
using DeRa.Server.Options;
using DeRa.Testing;
using DeRa.Testing.Hub;
using Microsoft.Extensions.Logging.Abstractions;
using Xunit;

namespace DeRa.Server.Tests;

/// <summary>The server on models that come from a Hub.</summary>
[Collection(HubEnvironment.Collection)]
public class HubPairTests
{
    private const string Weights = "model.safetensors", Shown = "download of org/model";
    private static readonly CancellationToken Stop = TestContext.Current.CancellationToken;
    private static readonly string s_sft = GoldenData.Committed("pair/sft");

    private static Task<ServerFixture> StartAsync()
    {
        var options = new ServerOptions
        {
            Model = new() { Reference = "org/model", Aligned = [s_sft] },
            Compute = new() { Device = "cpu", Dtype = "float32" },
            Time = new() { DrainSeconds = 0 }
        };
        return ServerFixture.StartLoadingAsync(PairStartup.For(options, NullLoggerFactory.Instance), options: options);
    }

    [Fact]
    public async Task A_stop_during_the_download_ends_it_and_the_next_start_goes_on_from_there()
    {
        await using var environment = new HubEnvironment(s_sft);
        var (hub, half) = (environment.Hub, environment.Hub[Weights].Length / 2);
        hub.Next(FakeHub.InStorage(Weights), async context =>
        {
            context.Response.ContentLength = hub[Weights].Length;
            await context.Response.Body.WriteAsync(hub[Weights].AsMemory(0, half));
            await context.Response.Body.FlushAsync();
            await FakeHub.UntilGone(context);
        });
        await using (var server = await StartAsync())
        {
            var partly = environment.Blob(Weights) + ".incomplete";
            await ServerFixture.EventuallyAsync(() => File.Exists(partly) && new FileInfo(partly).Length == half);
            await ServerFixture.EventuallyAsync(() => server.State.Loaded.GetValueOrDefault(Shown) > 0.4);
            var ready = await server.GetAsync("/readyz");
            Assert.Equal((503, "loading"), (ready.Status, ready.Json.GetProperty("status").GetString()));
            Assert.InRange(ready.Json.GetProperty("loaded").GetProperty(Shown).GetDouble(), 0.4, 0.9);
            await server.StopAsync().WaitAsync(Stop);
            Assert.Null(server.State.Failure);
            Assert.Equal(half, new FileInfo(partly).Length);
        }
        hub.StorageRequests.Clear();
        await using var again = await StartAsync();
        await again.PhaseChangedAsync();
        Assert.Null(again.State.Failure);
        Assert.Equal($"bytes={half}-", Assert.Single(hub.StorageRequests).Range);
        Assert.Equal(200, (await again.CompleteAsync("""{"prompt":"Once","max_tokens":2}""")).Status);
    }

    [Fact]
    public async Task A_model_that_cannot_be_had_is_a_line_that_names_it_and_exit_code_1()
    {
        await using var environment = new HubEnvironment(s_sft);
        var errors = new StringWriter();
        var code = await ServerProgram.RunAsync(["--reference", s_sft, "--aligned", "org/modle", "--http-port=0", "--grpc-port=0"],
            new Dictionary<string, string>(), PairStartup.For, TextWriter.Null, errors).WaitAsync(Stop);
        Assert.Equal(HostedProgram.StartFailed, code);
        Assert.Contains("no model of that name", Assert.Single(errors.ToString().TrimEnd().Split('\n')), StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_is_neither_a_folder_nor_a_name_is_a_bad_option()
    {
        var errors = new StringWriter();
        var code = await ServerProgram.RunAsync(["--reference", "./nowhere/model", "--aligned", s_sft],
            new Dictionary<string, string>(), PairStartup.For, TextWriter.Null, errors).WaitAsync(Stop);
        Assert.Equal(HostedProgram.BadOption, code);
        Assert.StartsWith("--reference: there is no folder './nowhere/model' in ", Assert.Single(errors.ToString().TrimEnd().Split('\n')),
            StringComparison.Ordinal);
    }
}
