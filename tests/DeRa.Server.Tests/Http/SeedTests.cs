using System.Text.Json;
using DeRa.Protos.V1;
using Xunit;

namespace DeRa.Server.Tests.Http;

/// <summary>Without a seed, and at −1, one is drawn; every answer tells the seed, and sending that back gives the same answer.</summary>
public class SeedTests
{
    private const string User = "\"messages\":[{\"role\":\"user\",\"content\":\"a\"}]";
    private const string Long = "\"max_tokens\":12,\"ignore_eos\":true,\"return_token_ids\":true";

    private static string Path(bool isChat) => isChat ? "/v1/chat/completions" : "/v1/completions";

    private static long SeedOf(JsonElement answer) => answer.GetProperty("seed").GetInt64();

    private static string Tokens(Reply reply) => string.Join(';', reply.Json.GetProperty("choices").EnumerateArray()
        .Select(choice => choice.GetProperty("token_ids").GetRawText()));

    [Theory]
    [InlineData(false, "")]
    [InlineData(false, ",\"seed\":null")]
    [InlineData(false, ",\"seed\":-1")]
    [InlineData(true, "")]
    [InlineData(true, ",\"seed\":-1")]
    public async Task A_drawn_seed_is_another_each_time_and_gives_the_answer_again(bool isChat, string seed)
    {
        await using var server = await ServerFixture.StartAsync();
        var request = isChat ? $"{User},\"n\":2,{Long}" : $"\"prompt\":[\"one\",\"two\"],\"n\":2,\"best_of\":3,{Long}";
        var seeds = new HashSet<long>();
        for (var i = 0; i < 4; i++)
        {
            var drawn = await server.PostAsync(Path(isChat), $"{{{request}{seed}}}");
            Assert.True(seeds.Add(SeedOf(drawn.Json)));
            Assert.InRange(SeedOf(drawn.Json), 0, (1L << 53) - 1);
            var again = await server.PostAsync(Path(isChat), $"{{{request},\"seed\":{SeedOf(drawn.Json)}}}");
            Assert.Equal((SeedOf(drawn.Json), Tokens(drawn)), (SeedOf(again.Json), Tokens(again)));
        }
    }

    [Fact]
    public async Task Other_negative_numbers_are_seeds()
    {
        await using var server = await ServerFixture.StartAsync();
        var replies = new List<(long, string)>();
        foreach (var seed in (long[])[-2, -2, long.MinValue, 2])
            replies.Add(await server.CompleteAsync($"{{\"prompt\":\"a\",{Long},\"seed\":{seed}}}") is var reply
                ? (SeedOf(reply.Json), Tokens(reply)) : default);
        Assert.Equal([-2, -2, long.MinValue, 2], replies.Select(reply => reply.Item1));
        Assert.Equal(replies[0], replies[1]);
        Assert.Equal(3, replies.Select(reply => reply.Item2).Distinct().Count());
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Every_chunk_of_a_stream_tells_the_seed(bool isChat)
    {
        await using var server = await ServerFixture.StartAsync(Scripts.Saying("hello"));
        var subject = isChat ? User : "\"prompt\":\"a\"";
        var events = (await server.PostAsync(Path(isChat),
            $"{{{subject},\"seed\":-1,\"stream\":true,\"stream_options\":{{\"include_usage\":true}}}}")).Events();
        Assert.True(events.Count > 4);
        Assert.InRange(Assert.Single(events.Select(SeedOf).Distinct()), 0, (1L << 53) - 1);
    }

    [Fact]
    public async Task Over_gRPC_it_is_the_same()
    {
        await using var server = await ServerFixture.StartAsync();
        var request = new GenerateRequest
        {
            Prompt = new Prompt { Text = "one" },
            MorePrompts = { new Prompt { Text = "two" } },
            Options = new GenerationOptions { Seed = -1, N = 2, MaxTokens = 12, IgnoreEos = true },
        };
        var seeds = new HashSet<long>();
        for (var i = 0; i < 4; i++)
        {
            request.Options.Seed = -1;
            var drawn = await server.Inference.GenerateAsync(request, cancellationToken: ServerFixture.Stop);
            Assert.True(seeds.Add(drawn.Seed));
            request.Options.Seed = drawn.Seed;
            var again = await server.Inference.GenerateAsync(request, cancellationToken: ServerFixture.Stop);
            // Which depends on what was sent before.
            drawn.Usage.CachedTokens = again.Usage.CachedTokens = 0;
            Assert.Equal(drawn, again);
        }
        using var stream = server.Inference.GenerateStream(new() { Prompt = request.Prompt, Options = new() { Seed = -1 } },
            cancellationToken: ServerFixture.Stop);
        Assert.True(await stream.ResponseStream.MoveNext(ServerFixture.Stop));
        Assert.InRange(stream.ResponseStream.Current.Started.Seed, 0, (1L << 53) - 1);
    }
}
