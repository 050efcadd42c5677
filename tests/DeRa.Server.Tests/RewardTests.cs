using System.Text.Json;
using DeRa.Hosting.Options;
using DeRa.Protos.V1;
using DeRa.Server.Options;
using DeRa.Testing;
using Grpc.Core;
using Xunit;

namespace DeRa.Server.Tests;

public sealed class RewardTests : IDisposable
{
    private const string File = """
        {"a": "regex:a", "long": {"reward": "0.5*length:3-3+2*regex:.", "timeout_seconds": 5}, "graded": "exact:answer", "pair": "implicit"}
        """;

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("/v1/completions", "\"prompt\":[\"one\",\"two\"]", 4)]
    [InlineData("/v1/chat/completions", "\"messages\":[{\"role\":\"user\",\"content\":\"a story\"}]", 2)]
    public async Task Choices_have_the_scores_that_were_asked_for_whole_and_streamed(string path, string subject, int count)
    {
        await using var server = await StartAsync();
        string Body(string more) => $$"""{{{subject}},"n":2,"seed":3,"max_tokens":8,"rewards":["long","a","graded"]{{more}}}""";

        var whole = (await server.PostAsync(path, Body(""))).Json.GetProperty("choices").EnumerateArray()
            .ToDictionary(choice => choice.GetProperty("index").GetInt32());
        var ends = (await server.PostAsync(path, Body(",\"stream\":true"))).Events()
            .SelectMany(chunk => chunk.GetProperty("choices").EnumerateArray())
            .Where(choice => choice.TryGetProperty("rewards", out _)).ToArray();

        Assert.Equal(count, whole.Count);
        foreach (var choice in whole.Values)
        {
            var text = (choice.TryGetProperty("text", out var own) ? own : choice.GetProperty("message").GetProperty("content"))
                .GetString()!;
            var scores = choice.GetProperty("rewards");
            Assert.Equal(["long", "a", "graded"], scores.EnumerateObject().Select(score => score.Name));
            Assert.Equal(text.Contains('a', StringComparison.Ordinal) ? 1 : 0, scores.GetProperty("a").GetDouble());
            Assert.Equal(choice.GetProperty("finish_reason").GetString() == "length" ? 1.5 : 2, scores.GetProperty("long").GetDouble(), .5);
            Assert.Equal(JsonValueKind.Null, scores.GetProperty("graded").ValueKind);
        }
        Assert.Equal(count, ends.Length);
        Assert.All(ends, end => Assert.Equal(
            whole[end.GetProperty("index").GetInt32()].GetProperty("rewards").GetRawText(), end.GetProperty("rewards").GetRawText()));
        Assert.All(ends, end => Assert.NotEqual(JsonValueKind.Null, end.GetProperty("finish_reason").ValueKind));
    }

    [Fact]
    public async Task Over_gRPC_too()
    {
        await using var server = await StartAsync();
        var options = new GenerationOptions { Seed = 3, MaxTokens = 8, N = 2, Rewards = { "a", "graded", "pair" } };
        var whole = await server.Inference.GenerateAsync(
            new GenerateRequest { Prompt = new Prompt { Text = "one" }, Options = options }, cancellationToken: ServerFixture.Stop);
        Assert.All(whole.Choices, choice =>
        {
            Assert.Equal(["a", "pair"], choice.Rewards.Keys.Order());
            Assert.Equal(choice.Text.Contains('a', StringComparison.Ordinal) ? 1 : 0, choice.Rewards["a"]);
            Assert.Equal(["graded"], choice.FailedRewards);
        });

        using var call = server.Inference.GenerateStream(
            new GenerateStreamRequest { Prompt = new Prompt { Text = "one" }, Options = options }, cancellationToken: ServerFixture.Stop);
        var ends = new List<Finished>();
        await foreach (var happened in call.ResponseStream.ReadAllAsync(ServerFixture.Stop))
            if (happened.Finished is { } end) ends.Add(end);
        Assert.Equal(whole.Choices.Select(choice => choice.Rewards["a"]), ends.OrderBy(end => end.Index).Select(end => end.Rewards["a"]));
        Assert.All(ends, end => Assert.Equal(["graded"], end.FailedRewards));
    }

    [Theory]
    [InlineData("\"rewards\":[\"a\",\"happy\"]", "rewards[1]", "names 'happy', which is none of the server's: a, long, graded, pair.")]
    [InlineData("\"rewards\":[\"command:sh\"]", "rewards[0]", "which is none of the server's")]
    [InlineData("\"rewards\":[\"a\"],\"echo\":true", "rewards", "does not work with 'echo'")]
    [InlineData("\"rewards\":\"a\"", "rewards", "must be a list of strings")]
    public async Task What_is_no_reward_of_the_server_is_refused(string fields, string param, string expected)
    {
        await using var server = await StartAsync();
        var reply = await server.CompleteAsync($$"""{"prompt":"one",{{fields}}}""");
        Assert.Equal((400, param), (reply.Status, reply.Param));
        Assert.Contains(expected, reply.Error.GetProperty("message").GetString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_server_without_rewards_says_so_and_responds_without()
    {
        await using var server = await ServerFixture.StartAsync();
        var refused = await server.CompleteAsync("""{"prompt":"one","rewards":["a"]}""");
        Assert.Equal((400, "rewards"), (refused.Status, refused.Param));
        var reply = await server.CompleteAsync("""{"prompt":"one","rewards":[]}""");
        Assert.Equal(200, reply.Status);
        Assert.False(reply.Choice().TryGetProperty("rewards", out _));
    }

    [Theory]
    [InlineData("[]", "must hold an object of rewards by name")]
    [InlineData("{}", "has 0 rewards; it must have 1 to 64")]
    [InlineData("{", "rewards.json: ")]
    [InlineData("""{"a b": "json"}""", "'a b' is no name for a reward")]
    [InlineData("""{"a": 1}""", "'a' must be a specification or an object with 'reward'")]
    [InlineData("""{"a": {"rubric": "x"}}""", "'a.reward' is missing")]
    [InlineData("""{"a": {"reward": "json", "url": "x"}}""", "'a.url' is not known; reward, rubric, rubric_file, timeout_seconds")]
    [InlineData("""{"a": {"reward": "json", "timeout_seconds": 0}}""", "'a.timeout_seconds' must be a number above 0, at most 3600")]
    [InlineData("""{"a": {"reward": "json", "concurrency": 1.5}}""", "'a.concurrency' must be a whole number from 1 to 256")]
    [InlineData("""{"a": {"reward": "json", "rubric_file": "missing.txt"}}""", "missing.txt")]
    [InlineData("""{"a": {"reward": "json", "key_env": "NO_SUCH_VARIABLE"}}""", "'NO_SUCH_VARIABLE', which is not set")]
    [InlineData("""{"a": "json", "a": "sentiment"}""", "has two rewards named 'a'")]
    public void A_file_that_cannot_be_used_stops_the_start(string file, string expected)
    {
        var error = Assert.Throws<OptionException>(() =>
            OptionReader.Read(["--rewards", _folder.Write("rewards.json", file)], new Dictionary<string, string>()));
        Assert.StartsWith("--rewards: ", error.Message, StringComparison.Ordinal);
        Assert.Contains(expected, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_specification_that_cannot_be_used_ends_the_start()
    {
        await using var server = await StartAsync("""{"a": "happiness"}""");
        Assert.Contains("reward 'happiness' is not known", server.State.Failure, StringComparison.Ordinal);
    }

    private async Task<ServerFixture> StartAsync(string file = File)
    {
        var options = new ServerOptions
        {
            Model = new ModelOptions { Rewards = _folder.Write("rewards.json", file) },
            Time = new() { DrainSeconds = 0 },
        };
        var executor = new ScriptedExecutor();
        var server = await ServerFixture.StartLoadingAsync(
            (_, _) => Task.FromResult(ServerFixture.Pair(
                executor, rewards: [.. options.Model.ReadRewards().Select(reward => reward.Name)])), executor, options: options);
        await server.PhaseChangedAsync();
        return server;
    }
}
