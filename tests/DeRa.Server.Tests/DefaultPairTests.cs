using System.Text.Json;
using DeRa.Engine;
using DeRa.Server.Composition;
using DeRa.Server.Options;
using DeRa.Testing;
using Microsoft.Extensions.Logging;
using Xunit;

namespace DeRa.Server.Tests;

/// <summary>The whole server on the pair that comes with it.</summary>
public class DefaultPairTests
{
    internal static async Task<ServerFixture> StartAsync(ILoggerProvider? logs = null, params string[] arguments)
    {
        var options = OptionReader.Read(arguments, new Dictionary<string, string>());
        using var loggers = LoggerFactory.Create(logging =>
        {
            if (logs is not null) logging.AddProvider(logs);
        });
        var server = await ServerFixture.StartLoadingAsync(PairStartup.For(options, loggers), options: options
            with
        { Time = options.Time with { DrainSeconds = 0 } });
        await server.PhaseChangedAsync();
        Assert.Null(server.State.Failure);
        return server;
    }

    [Fact]
    public async Task Without_any_option_the_default_pair_is_served_and_a_log_line_says_so()
    {
        using var logs = new LogCollector();
        await using var server = await StartAsync(logs);
        var models = (await server.GetAsync("/v1/models")).Json.GetProperty("data");
        Assert.Equal(
            ["stories", "stories-reference", "stories-aligned"], models.EnumerateArray()
                .Select(model => model.GetProperty("id").GetString()));
        Assert.Contains(logs.Lines, line => line.Contains("default pair 'stories'", StringComparison.Ordinal)
            && line.Contains("--reference MODEL --aligned MODEL", StringComparison.Ordinal));
    }

    [Fact]
    public async Task It_may_be_served_under_another_name()
    {
        await using var server = await StartAsync(null, "--name", "tales");
        Assert.Equal("tales", server.State.Pair!.Names.Pair);
    }

    [Fact]
    public async Task Strengths_0_1_and_2_give_three_different_texts_each_the_same_again()
    {
        await using var server = await StartAsync();
        async Task<string> Text(int strength) => (await server.CompleteAsync(
            $$"""{"prompt":"One day, a dog","seed":1,"max_tokens":60,"alignment_strength":{{strength}}}""")).Text();
        async Task<string[]> Texts() => [await Text(0), await Text(1), await Text(2)];
        var texts = await Texts();
        Assert.All(texts, text => Assert.True(text.Length > 20, text));
        Assert.Equal(3, texts.Distinct().Count());
        Assert.Equal(texts, await Texts());
    }

    /// <summary>The promise about seeds, at default settings.</summary>
    [Fact]
    public async Task A_seed_gives_the_same_text_alone_and_beside_63_other_requests()
    {
        await using var server = await StartAsync();
        var random = new Random(1);
        string[] starts = ["Lily", "Tom and his dog", "One day, a cat", "The sun", "Once upon a time there was a girl who"];
        string[] words = ["went", "to", "the", "park", "and", "saw", "a", "big", "red", "ball"];
        double[] strengths = [0, 1, 0.5, 2, 3.7, 10, -0.5], temperatures = [0, 0.7, 1];
        var requests = Enumerable.Range(0, 64).Select(i => JsonSerializer.Serialize(new
        {
            prompt = string.Join(' ', [starts[i % starts.Length], .. random.GetItems(words, random.Next(60))]),
            seed = i,
            max_tokens = random.Next(10, 50),
            alignment_strength = strengths[i % strengths.Length],
            temperature = temperatures[i % temperatures.Length],
        })).ToList();
        var alone = new List<string>();
        foreach (var request in requests) alone.Add((await server.CompleteAsync(request)).Text());
        var together = await Task.WhenAll(requests.Select(async request => (await server.CompleteAsync(request)).Text()));
        Assert.Equal(alone, together);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    public async Task A_chat_is_answered_with_a_story_that_ends_by_itself(int strength)
    {
        await using var server = await StartAsync();
        var reply = await server.ChatAsync($$"""
            {"messages":[{"role":"user","content":"Write a story about a dog and a ball"}],"seed":1,"alignment_strength":{{strength}}}
            """);
        Assert.Equal("stop", reply.Choice().GetProperty("finish_reason").GetString());
        Assert.True(reply.Text().Length > 50, reply.Text());
        Assert.DoesNotContain("<|endoftext|>", reply.Text(), StringComparison.Ordinal);
        Assert.DoesNotContain("User:", reply.Text(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task As_many_sequences_as_may_run_at_once_have_room_in_the_cache()
    {
        await using var server = await StartAsync();
        var limits = server.Engine.Limits;
        Assert.True((long)limits.BlockCount * limits.BlockTokens >= new EngineOptions().MaxRunning * 200, $"{limits}");
    }

    [Fact]
    public async Task A_publish_holds_the_default_pair_as_files_in_a_single_file_publish_too()
    {
        var published = await PublishedFiles.BesideSingleFileAsync("DeRa.Server", ServerFixture.Stop);
        Assert.Superset(DefaultPairWeights.Files.ToHashSet(), published.ToHashSet());
    }
}
