using System.Text.Json;
using DeRa.Engine;
using DeRa.Server.Options;
using DeRa.Testing;
using Xunit;

namespace DeRa.Server.Tests.Http;

/// <summary>What a request reports of prompts that were read before. A block has eight tokens, a letter is one.</summary>
public class PrefixCacheTests
{
    private const string Letters = "abcdefghijklmnopqrstuvwxyz, and so on to an end";

    private static string Prompt(string more = "") => $$"""{"prompt":"{{Letters}}","seed":5,"max_tokens":4{{more}}}""";

    private static string Chat(string more = "") =>
        $$"""{"messages":[{"role":"user","content":"{{Letters}}"}],"seed":5,"max_tokens":4{{more}}}""";

    private static int Cached(Reply reply) => Cached(reply.Json.GetProperty("usage"));

    private static int Cached(JsonElement usage) => usage.GetProperty("prompt_tokens_details").GetProperty("cached_tokens").GetInt32();

    private static async Task<int> CachedAsync(Task<Reply> sent)
    {
        var reply = await sent;
        Assert.Equal(200, reply.Status);
        return Cached(reply);
    }

    /// <summary>Full blocks at least, and never the last token: its logits are wanted.</summary>
    private static void AssertFound(int cached, int promptTokens) => Assert.InRange(cached, (promptTokens - 1) / 8 * 8, promptTokens - 1);

    private static void AssertFound(JsonElement usage) => AssertFound(Cached(usage), usage.GetProperty("prompt_tokens").GetInt32());

    private static void AssertFound(Reply reply) => AssertFound(reply.Json.GetProperty("usage"));

    [Theory]
    [InlineData("0")]
    [InlineData("0.5")]
    [InlineData("1")]
    public async Task The_same_prompt_again_is_found_and_gives_the_same_text(string strength)
    {
        await using var server = await ServerFixture.StartAsync();
        var json = Prompt($",\"lambda\":{strength}");
        var (first, second) = (await server.CompleteAsync(json), await server.CompleteAsync(json));
        Assert.Equal(0, Cached(first));
        AssertFound(second);
        Assert.Equal(first.Text(), second.Text());
    }

    [Fact]
    public async Task A_chat_that_goes_on_finds_what_was_said()
    {
        await using var server = await ServerFixture.StartAsync();
        var first = await server.ChatAsync(Chat());
        Assert.Equal(0, Cached(first));
        AssertFound(await server.ChatAsync(Chat()));
        var longer = await server.ChatAsync(
            $$"""{"messages":[{"role":"user","content":"{{Letters}}"},{"role":"assistant","content":"x"},{"role":"user","content":"y"}]}""");
        Assert.InRange(Cached(longer), Letters.Length / 8 * 8, first.Json.GetProperty("usage").GetProperty("total_tokens").GetInt32());
    }

    [Fact]
    public async Task A_stream_says_so_at_its_end()
    {
        await using var server = await ServerFixture.StartAsync();
        const string streamed = ",\"stream\":true,\"stream_options\":{\"include_usage\":true,\"continuous_usage_stats\":true}";
        Assert.Equal(0, Cached((await server.CompleteAsync(Prompt(streamed))).Events()[^1].GetProperty("usage")));
        AssertFound((await server.CompleteAsync(Prompt(streamed))).Events()[^1].GetProperty("usage"));
        // The token that begins every text may be found, no block is.
        Assert.InRange(Cached((await server.ChatAsync(Chat(streamed))).Events()[^1].GetProperty("usage")), 0, 1);
        AssertFound((await server.ChatAsync(Chat(streamed))).Events()[^1].GetProperty("usage"));
    }

    [Fact]
    public async Task A_prompt_is_found_by_every_strength_whose_models_have_read_it()
    {
        await using var server = await ServerFixture.StartAsync();
        Assert.Equal(0, await CachedAsync(server.CompleteAsync(Prompt(",\"lambda\":0"))));
        // The aligned model has not read it.
        Assert.Equal(0, await CachedAsync(server.CompleteAsync(Prompt(",\"lambda\":0.5"))));
        foreach (var strength in (string[])["0", "0.25", "1", "2"])
            AssertFound(await server.CompleteAsync(Prompt($",\"lambda\":{strength}")));
    }

    [Fact]
    public async Task Each_prompt_counts_once_however_many_choices_it_has()
    {
        await using var server = await ServerFixture.StartAsync();
        const string json = $$"""{"prompt":["{{Letters}}","0123456789 and {{Letters}}"],"n":3,"max_tokens":4}""";
        var (first, second) = (await server.CompleteAsync(json), await server.CompleteAsync(json));
        // The two have the token in common that begins every text.
        Assert.InRange(Cached(first), 0, 1);
        var (one, other) = (Letters.Length + 1, Letters.Length + 16);
        Assert.Equal(one + other, second.Json.GetProperty("usage").GetProperty("prompt_tokens").GetInt32());
        Assert.InRange(Cached(second), (one - 1) / 8 * 8 + (other - 1) / 8 * 8, one + other - 2);
    }

    [Theory]
    [InlineData(",\"prompt_logprobs\":1")]
    [InlineData(",\"echo\":true,\"logprobs\":1")]
    public async Task A_prompt_that_is_scored_is_run_whole(string scored)
    {
        await using var server = await ServerFixture.StartAsync();
        await server.CompleteAsync(Prompt());
        Assert.Equal(0, await CachedAsync(server.CompleteAsync(Prompt(scored))));
        AssertFound(await server.CompleteAsync(Prompt()));
    }

    [Fact]
    public async Task Nothing_is_found_where_nothing_is_kept()
    {
        await using var server = await ServerFixture.StartAsync(engine: new EngineOptions { PrefixCache = false });
        var (first, second) = (await server.CompleteAsync(Prompt(",\"n\":2")), await server.CompleteAsync(Prompt(",\"n\":2")));
        Assert.Equal((0, 0), (Cached(first), Cached(second)));
        Assert.Equal(first.Text(1), second.Text(1));
    }

    [Fact]
    public async Task Requests_of_another_salt_find_nothing()
    {
        await using var server = await ServerFixture.StartAsync();
        foreach (var salt in (string[])["", ",\"cache_salt\":\"one\"", ",\"cache_salt\":\"two\""])
            Assert.Equal(0, await CachedAsync(server.CompleteAsync(Prompt(salt))));
        foreach (var salt in (string[])["", ",\"cache_salt\":\"one\"", ",\"cache_salt\":\"two\""])
            AssertFound(await server.CompleteAsync(Prompt(salt)));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Another_key_finds_something_only_where_keys_share_their_cache(bool shares)
    {
        using var folder = new TemporaryFolder();
        var options = SecuredServer.WithKeys(folder) with { Compute = new ComputeOptions { ShareCacheBetweenKeys = shares } };
        await using var server = await SecuredServer.StartAsync(options);
        Assert.Equal(0, await CachedAsync(server.CompleteWithAsync(SecuredServer.Key, Prompt())));
        var bobs = await server.CompleteWithAsync(SecuredServer.OtherKey, Prompt());
        if (shares) AssertFound(bobs);
        else Assert.Equal(0, Cached(bobs));
        AssertFound(await server.CompleteWithAsync(SecuredServer.Key, Prompt()));
    }

    [Fact]
    public async Task The_request_s_line_in_the_log_says_what_the_response_says()
    {
        using var logs = new LogCollector();
        await using var server = await ServerFixture.StartAsync(logs: logs);
        await server.CompleteAsync(Prompt());
        var second = await server.CompleteAsync(Prompt());
        AssertFound(second);
        var id = second.Headers["x-request-id"];
        await ServerFixture.EventuallyAsync(() => Lines().Any());
        Assert.Equal(Cached(second), Lines().Single().Fields["CachedTokens"]);

        IEnumerable<LogCollector.Entry> Lines() =>
            logs.Entries.Where(line => line.Event == "Request" && (string?)line.Fields["RequestId"] == id);
    }
}
