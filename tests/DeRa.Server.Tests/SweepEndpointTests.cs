using System.Net.Http.Json;
using System.Text.Json.Nodes;
using DeRa.Serving.Requests;
using DeRa.Serving.Rewards;
using DeRa.Serving.Sweeps;
using DeRa.Testing;
using DeRa.Text.Chat;
using Xunit;

namespace DeRa.Server.Tests;

/// <summary>A sweep over HTTP is the sweep of the pair that serves.</summary>
public class SweepEndpointTests
{
    private static readonly CancellationToken s_stop = TestContext.Current.CancellationToken;
    private static readonly double[] s_strengths = [-.5, 0, .5, 1, 2];

    public static TheoryData<PromptInput> Prompts =>
        [new TextPrompt("Once upon"), new ChatPrompt([new ChatMessage("system", "Be brief"), new ChatMessage("user", "A story")])];

    [Theory]
    [MemberData(nameof(Prompts))]
    public async Task Rows_over_http_are_those_in_the_process(PromptInput input)
    {
        await using var server = await RealPairTests.StartAsync(GoldenData.Committed("pair/sft"), GoldenData.Committed("pair/aligned"));
        var settings = new SweepSettings { Strengths = s_strengths, Samples = 3, MaxTokens = 6, Seed = 11, TopP = .95 };
        SweepPrompt[] prompts = [.. Enumerable.Range(1, 2).Select(line =>
            new SweepPrompt(input, "Once upon", $"prompts.txt:{line}") { FurtherTurns = ["And then?"] })];
        using var overHttp = new ServerEndpoint(server.Http.BaseAddress!, null, settings, TimeSpan.FromMilliseconds(1));
        var expected = await RowsAsync(new PairEndpoint(server.State.Pair!, settings), settings, prompts);
        Assert.Equal(2 * 5 * 3, expected.Count);
        Assert.Equal(expected, await RowsAsync(overHttp, settings, prompts));
        Assert.True(expected.Distinct().Count() == expected.Count);
        Assert.Equal("real", (await overHttp.ModelsAsync(s_stop))[0]);
        Assert.All(expected, row => Assert.Equal(input is ChatPrompt, row.Contains("further_turns", StringComparison.Ordinal)));
    }

    [Fact]
    public async Task Servers_of_the_same_models_share_the_work_and_give_the_same_rows()
    {
        await using var first = await RealPairTests.StartAsync(GoldenData.Committed("pair/sft"), GoldenData.Committed("pair/aligned"));
        await using var second = await RealPairTests.StartAsync(GoldenData.Committed("pair/sft"), GoldenData.Committed("pair/aligned"));
        var settings = new SweepSettings { Strengths = s_strengths, Samples = 2, MaxTokens = 6, Seed = 11 };
        string[] texts = [.. Enumerable.Range(1, 8).Select(line => string.Concat(Enumerable.Repeat($"{line} times ", 12)))];
        SweepPrompt[] prompts = [.. texts.Select((text, i) => new SweepPrompt(new TextPrompt(text), text, $"prompts.txt:{i + 1}"))];
        using var both = new ServerEndpoints([Endpoint(first), Endpoint(second)]);
        Assert.Equal("real", (await both.ModelsAsync(s_stop))[0]);
        var rows = await RowsAsync(both, settings, prompts);
        // Each has read some of the prompts.
        foreach (var server in (ServerFixture[])[first, second])
        {
            var cached = 0;
            foreach (var text in texts)
                cached += (await server.CompleteAsync($$"""{"prompt":"{{text}}","max_tokens":1}""")).Json.GetProperty("usage")
                    .GetProperty("prompt_tokens_details").GetProperty("cached_tokens").GetInt32();
            Assert.True(cached > 0);
        }
        Assert.Equal(await RowsAsync(new PairEndpoint(first.State.Pair!, settings), settings, prompts), rows);

        ServerEndpoint Endpoint(ServerFixture server) => new(server.Http.BaseAddress!, null, settings, TimeSpan.FromMilliseconds(1));
    }

    [Fact]
    public async Task Servers_of_different_models_are_refused()
    {
        await using var real = await RealPairTests.StartAsync(GoldenData.Committed("pair/sft"), GoldenData.Committed("pair/aligned"));
        await using var scripted = await ServerFixture.StartAsync();
        var settings = new SweepSettings { Strengths = s_strengths, Samples = 2, MaxTokens = 6 };
        using var both = new ServerEndpoints([.. new[] { real, scripted }.Select(server =>
            new ServerEndpoint(server.Http.BaseAddress!, null, settings, TimeSpan.FromMilliseconds(1)))]);
        var refused = await Assert.ThrowsAsync<HttpRequestException>(() => both.ModelsAsync(s_stop));
        Assert.Contains("serve different models: real", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_weight_of_a_row_is_what_measures_report()
    {
        await using var server = await RealPairTests.StartAsync(GoldenData.Committed("pair/sft"), GoldenData.Committed("pair/aligned"));
        var settings = new SweepSettings { Strengths = s_strengths, Samples = 2, MaxTokens = 12, Seed = 11 };
        using var endpoint = new ServerEndpoint(server.Http.BaseAddress!, null, settings, TimeSpan.FromMilliseconds(1));
        var rows = await RowsAsync(endpoint, settings, [new(new TextPrompt("Once upon"), "Once upon", "prompts.txt:1")]);
        using var response = await server.Http.PostAsJsonAsync("v1/completions", new
        {
            prompt = "Once upon",
            alignment_sweep = s_strengths,
            n = 2,
            max_tokens = 12,
            temperature = 1,
            seed = 11,
            measures = true,
        }, s_stop);
        var choices = JsonNode.Parse(await response.Content.ReadAsStringAsync(s_stop))!["choices"]!.AsArray();
        Assert.Equal(rows.Count, choices.Count);
        foreach (var (line, choice) in rows.Zip(choices))
        {
            var row = SweepRow.Parse(line, ["length"]);
            Assert.Equal((string)choice!["text"]!, row.Completion);
            Assert.Equal((double)choice["measures"]!["log_z"]!, row.LogProbs!.LogWeight(row.Strength), 1e-3);
            Assert.Equal((double)choice["measures"]!["implicit_reward"]!, row.LogProbs.Aligned - row.LogProbs.Reference, 1e-3);
            Assert.Equal(row.Strength is 0 or 1, Math.Abs(row.LogProbs.LogWeight(row.Strength)) < 1e-3);
        }
    }

    [Fact]
    public async Task What_the_server_refuses_names_the_prompt()
    {
        await using var server = await RealPairTests.StartAsync(GoldenData.Committed("pair/sft"), GoldenData.Committed("pair/aligned"));
        var settings = new SweepSettings { Strengths = [11], Samples = 1, MaxTokens = 1 };
        using var endpoint = new ServerEndpoint(server.Http.BaseAddress!, null, settings, TimeSpan.FromMilliseconds(1));
        var refused = await Assert.ThrowsAsync<FormatException>(() =>
            RowsAsync(endpoint, settings, [new(new TextPrompt("Once"), "Once", "prompts.txt:1")]));
        Assert.StartsWith("prompts.txt:1: ", refused.Message, StringComparison.Ordinal);
        Assert.Contains("it must be between -1 and 10", refused.Message, StringComparison.Ordinal);
    }

    private static async Task<List<string>> RowsAsync(ISweepEndpoint endpoint, SweepSettings settings, SweepPrompt[] prompts)
    {
        using var reward = RewardSpec.Parse("length:0-3");
        var rows = new List<string>();
        await foreach (var own in new SweepRun(endpoint, [reward], settings, _ => { }).RunAsync(
            prompts, prompts.Select((_, index) => new SweepUnit(index, settings.Strengths)), s_stop))
            rows.AddRange(own.Select(row => row.ToJson(["length"])));
        return rows;
    }
}
