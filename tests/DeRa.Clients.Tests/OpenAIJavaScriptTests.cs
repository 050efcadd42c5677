using DeRa.Serving;
using DeRa.Testing.Server;
using Xunit;

namespace DeRa.Clients.Tests;

/// <summary>OpenAI's JavaScript client against the server; what it must see is asserted in <c>node/openai.mjs</c>.</summary>
public class OpenAIJavaScriptTests
{
    private const string Says = "one STOP two, 世界";

    private static Task RunAsync(ServerFixture server, string scenario, Action<string>? said = null) =>
        NodeScript.RunOpenAIAsync(server, ServerFixture.Model, scenario, said);

    [Theory]
    [InlineData("chat")]
    [InlineData("completions")]
    [InlineData("logprobs")]
    [InlineData("stop")]
    [InlineData("models")]
    [InlineData("errors")]
    public async Task A_model_that_says_a_text_is_heard(string scenario)
    {
        await using var server = await ServerFixture.StartAsync(Scripts.Saying(Says));
        await RunAsync(server, scenario);
    }

    [Theory]
    [InlineData("choices")]
    [InlineData("strength")]
    public async Task A_model_that_samples_is_heard(string scenario)
    {
        await using var server = await ServerFixture.StartAsync();
        await RunAsync(server, scenario);
    }

    [Fact]
    public async Task The_strength_of_a_stream_is_changed_with_fetch()
    {
        await using var server = await ServerFixture.StartAsync(Scripts.Endless());
        await RunAsync(server, "change");
    }

    [Fact]
    public async Task Leaving_a_stream_or_aborting_a_call_frees_its_blocks()
    {
        await using var server = await ServerFixture.StartAsync(Scripts.Endless());
        await RunAsync(server, "leave");
    }

    [Fact]
    public async Task An_error_in_the_middle_of_a_stream_is_thrown()
    {
        var executor = Scripts.Saying("abcdefgh");
        executor.ReadoutError = readout =>
            readout.Sampling!.Value.History.Length - readout.Sampling.Value.PromptTokens > 3 ? "logits are not finite" : null;
        await using var server = await ServerFixture.StartAsync(executor);
        await RunAsync(server, "broken");
    }

    [Fact]
    public async Task A_server_that_loads_is_asked_again_after_the_time_that_it_names()
    {
        var loaded = new TaskCompletionSource<ServedPair>();
        await using var server = await ServerFixture.StartLoadingAsync((_, _) => loaded.Task);
        await RunAsync(server, "loading", line =>
        {
            if (line == "refused") loaded.SetResult(ServerFixture.Pair(Scripts.Saying(Says)));
        });
    }
}
