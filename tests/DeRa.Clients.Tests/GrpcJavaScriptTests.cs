using DeRa.Serving;
using DeRa.Testing.Server;
using Xunit;

namespace DeRa.Clients.Tests;

/// <summary>gRPC from JavaScript, by the proto files alone; what it must see is asserted in <c>node/grpc.mjs</c>.</summary>
public class GrpcJavaScriptTests
{
    private static Task RunAsync(ServerFixture server, string scenario, Action<string>? said = null) =>
        NodeScript.RunGrpcAsync(server, ServerFixture.Model, scenario, said);

    [Theory]
    [InlineData("generate")]
    [InlineData("stream")]
    [InlineData("errors")]
    [InlineData("chat")]
    public async Task A_model_that_says_a_text_is_heard(string scenario)
    {
        await using var server = await ServerFixture.StartAsync(Scripts.Saying("one STOP two, 世界"));
        await RunAsync(server, scenario);
    }

    [Fact]
    public async Task The_strength_reaches_the_models()
    {
        await using var server = await ServerFixture.StartAsync();
        await RunAsync(server, "strength");
    }

    [Theory]
    [InlineData("converse")]
    [InlineData("deadline")]
    [InlineData("cancel")]
    public async Task A_call_that_is_changed_or_ends_early_frees_its_blocks(string scenario)
    {
        await using var server = await ServerFixture.StartAsync(Scripts.Endless());
        await RunAsync(server, scenario);
    }

    [Fact]
    public async Task A_server_that_loads_is_unavailable_and_names_a_time()
    {
        var loaded = new TaskCompletionSource<ServedPair>();
        await using var server = await ServerFixture.StartLoadingAsync((_, _) => loaded.Task);
        await RunAsync(server, "loading", line =>
        {
            if (line == "refused") loaded.SetResult(ServerFixture.Pair(Scripts.Saying("here")));
        });
    }
}
