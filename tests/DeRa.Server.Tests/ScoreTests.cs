using System.Globalization;
using System.Text.Json;
using Xunit;

namespace DeRa.Server.Tests;

/// <summary>Texts scored at many strengths over HTTP.</summary>
public class ScoreTests
{
    private const string Path = "/v1/realignment/score";

    [Fact]
    public async Task A_text_scores_at_each_strength_what_echo_gives_at_that_strength_alone()
    {
        await using var server = await ServerFixture.StartAsync();
        var scored = await server.PostAsync(Path,
            """
            {"items":[{"prompt":"ab","continuation":"cde"},{"prompt":[97],"continuation":[98,99]}],
             "alignment_sweep":[0,0.3,1,2.5],"per_token":true}
            """);
        Assert.Equal(200, scored.Status);
        Assert.Equal("realignment.scores", scored.Json.GetProperty("object").GetString());
        foreach (var (index, prompt) in ((int, string)[])[(0, "\"abcde\""), (1, "[97,98,99]")])
        {
            var item = scored.Json.GetProperty("items")[index];
            Assert.Equal(index, item.GetProperty("index").GetInt32());
            foreach (var score in item.GetProperty("scores").EnumerateArray())
            {
                var strength = score.GetProperty("alignment_strength").GetDouble().ToString(CultureInfo.InvariantCulture);
                var echo = await server.CompleteAsync(
                    $$"""{"prompt":{{prompt}},"echo":true,"logprobs":0,"max_tokens":0,"alignment_strength":{{strength}}}""");
                var expected = echo.Choice().GetProperty("logprobs").GetProperty("token_logprobs").EnumerateArray().ToArray()[^item
                    .GetProperty("tokens").GetInt32()..].Select(value => value.GetDouble()).ToArray();
                var found = score.GetProperty("token_logprobs").EnumerateArray().Select(value => value.GetDouble()).ToArray();
                Assert.Equal(expected, found, (a, b) => Math.Abs(a - b) < 1e-4);
                Assert.Equal(found.Sum(), score.GetProperty("logprob").GetDouble(), 1e-9);
                Assert.Equal(Math.Exp(-found.Average()), score.GetProperty("perplexity").GetDouble(), 1e-6 * Math.Exp(-found.Average()));
            }
            Assert.Equal(Logprob(item, 0), item.GetProperty("logprob_reference").GetDouble(), 1e-4);
            Assert.Equal(Logprob(item, 2), item.GetProperty("logprob_aligned").GetDouble(), 1e-4);
            Assert.Equal(0, item.GetProperty("scores")[0].GetProperty("kl_to_reference").GetDouble(), 1e-6);
            Assert.True(item.GetProperty("scores")[3].GetProperty("kl_to_reference").GetDouble() > 0);
        }
    }

    [Fact]
    public async Task Of_several_aligned_models_each_has_its_own_log_probability_and_strength()
    {
        await using var server = await ServerFixture.StartAsync(Scripts.Saying("a", models: 3), aligned: ["helpful", "concise"]);
        var scored = await server.PostAsync(Path, """
            {"items":[{"prompt":"ab","continuation":"cde"}],
             "alignment_sweep":[1,{"concise":1},{"helpful":0.5,"concise":0.25}]}
            """);
        Assert.Equal(200, scored.Status);
        var item = scored.Json.GetProperty("items")[0];
        Assert.False(item.TryGetProperty("logprob_aligned", out _));
        Assert.Equal(Logprob(item, 0), item.GetProperty("logprobs_aligned").GetProperty("helpful").GetDouble(), 1e-4);
        Assert.Equal(Logprob(item, 1), item.GetProperty("logprobs_aligned").GetProperty("concise").GetDouble(), 1e-4);
        var strengths = item.GetProperty("scores")[2].GetProperty("alignment_strengths");
        Assert.Equal((0.5, 0.25), (strengths.GetProperty("helpful").GetDouble(), strengths.GetProperty("concise").GetDouble()));
    }

    [Fact]
    public async Task An_answer_in_a_conversation_is_scored_alone()
    {
        await using var server = await ServerFixture.StartAsync();
        var scored = await server.PostAsync(Path, """
            {"items":[{"messages":[{"role":"user","content":"Hi"},{"role":"assistant","content":"yes"}]}],
             "alignment_sweep":[0.5],"per_token":true}
            """);
        Assert.Equal(200, scored.Status);
        var tokens = scored.Json.GetProperty("items")[0].GetProperty("token_ids").EnumerateArray().Select(id => (char)id.GetInt32());
        Assert.Equal("yes", string.Concat(tokens).Trim());
    }

    [Theory]
    [InlineData("items", """{"alignment_sweep":[1]}""")]
    [InlineData("items", """{"items":[],"alignment_sweep":[1]}""")]
    [InlineData("items", """{"items":{},"alignment_sweep":[1]}""")]
    [InlineData("items[0]", """{"items":["a"],"alignment_sweep":[1]}""")]
    [InlineData("items[0].continuation", """{"items":[{"prompt":"a"}],"alignment_sweep":[1]}""")]
    [InlineData("items[0].prompt", """{"items":[{"prompt":1,"continuation":"a"}],"alignment_sweep":[1]}""")]
    [InlineData("items[0].messages", """{"items":[{"prompt":"a","messages":[{"role":"user","content":"a"}]}],"alignment_sweep":[1]}""")]
    [InlineData("items[0].messages[0].role", """{"items":[{"messages":[{"content":"a"}]}],"alignment_sweep":[1]}""")]
    [InlineData("alignment_sweep", """{"items":[{"prompt":"a","continuation":"b"}]}""")]
    [InlineData("alignment_sweep", """{"items":[{"prompt":"a","continuation":"b"}],"alignment_sweep":[]}""")]
    [InlineData("alignment_sweep[1]", """{"items":[{"prompt":"a","continuation":"b"}],"alignment_sweep":[1,11]}""")]
    [InlineData("alignment_sweep[0]", """{"items":[{"prompt":"a","continuation":"b"}],"alignment_sweep":["1"]}""")]
    [InlineData("alignment_sweep[0].other", """{"items":[{"prompt":"a","continuation":"b"}],"alignment_sweep":[{"other":1}]}""")]
    [InlineData("timeout", """{"items":[{"prompt":"a","continuation":"b"}],"alignment_sweep":[1],"timeout":0}""")]
    [InlineData("timeout", """{"items":[{"prompt":"a","continuation":"b"}],"alignment_sweep":[1],"timeout":"1"}""")]
    [InlineData("alignment_strength", """{"items":[{"prompt":"a","continuation":"b"}],"alignment_sweep":[1],"alignment_strength":1}""")]
    public async Task A_wrong_field_is_named(string field, string body)
    {
        await using var server = await ServerFixture.StartAsync();
        var reply = await server.PostAsync(Path, body);
        Assert.Equal(400, reply.Status);
        Assert.Equal(field, reply.Json.GetProperty("error").GetProperty("param").GetString());
    }

    private static double Logprob(JsonElement item, int strength) =>
        item.GetProperty("scores")[strength].GetProperty("logprob").GetDouble();
}
