using DeRa.Protos.V1;
using Google.Rpc;
using Grpc.Core;
using Xunit;

namespace DeRa.Server.Tests.Grpc;

public class GrpcScoreTests
{
    private static readonly CancellationToken Stop = TestContext.Current.CancellationToken;

    private static ScoreRequest Request => new()
    {
        Items =
        {
            new ScoreItem { Prompt = new Prompt { Text = "ab" }, Text = "cde" },
            new ScoreItem
            {
                Prompt = new Prompt
                {
                    Messages = new Conversation
                    {
                        Messages =
                        {
                            new ChatMessage { Role = Role.User, Content = "Hi" },
                            new ChatMessage { Role = Role.Assistant, Content = "yes" },
                        },
                    },
                },
            },
        },
        AlignmentSweep = { Strength(0), Strength(.3), new ScoredStrength { AlignmentStrengths = { ["aligned"] = 2 } } },
        PerToken = true,
    };

    [Fact]
    public async Task It_gives_what_HTTP_gives()
    {
        await using var server = await ServerFixture.StartAsync();
        var reply = await server.Inference.ScoreAsync(Request, cancellationToken: Stop);
        var http = await server.PostAsync("/v1/realignment/score", """
            {"items":[{"prompt":"ab","continuation":"cde"},
             {"messages":[{"role":"user","content":"Hi"},{"role":"assistant","content":"yes"}]}],
             "alignment_sweep":[0,0.3,{"aligned":2}],"per_token":true}
            """);
        Assert.Equal(200, http.Status);
        Assert.Equal(2, reply.Items.Count);
        Assert.Equal(http.Json.GetProperty("usage").GetProperty("prompt_tokens").GetInt32(), reply.PromptTokens);
        for (var i = 0; i < 2; i++)
        {
            var (item, other) = (reply.Items[i], http.Json.GetProperty("items")[i]);
            Assert.Equal(other.GetProperty("logprob_reference").GetDouble(), item.LogprobReference);
            Assert.Equal(other.GetProperty("logprob_aligned").GetDouble(), item.LogprobAligned["aligned"]);
            Assert.Equal(other.GetProperty("token_ids").EnumerateArray().Select(id => id.GetInt32()), item.TokenIds);
            Assert.Equal([0, .3, 2], item.Scores.Select(score => score.AlignmentStrengths["aligned"]));
            foreach (var (score, json) in item.Scores.Zip(other.GetProperty("scores").EnumerateArray()))
            {
                Assert.Equal(json.GetProperty("logprob").GetDouble(), score.Logprob);
                Assert.Equal(json.GetProperty("perplexity").GetDouble(), score.Perplexity);
                Assert.Equal(json.GetProperty("kl_to_reference").GetDouble(), score.KlToReference);
                Assert.Equal(json.GetProperty("token_logprobs").EnumerateArray().Select(value => value.GetDouble()), score.TokenLogprobs);
            }
        }
    }

    [Theory]
    [InlineData("no items", "items")]
    [InlineData("no strengths", "alignment_sweep")]
    [InlineData("both kinds of strength", "alignment_sweep[0]")]
    [InlineData("no continuation", "items[0].text")]
    [InlineData("continuation of a chat", "items[1].text")]
    [InlineData("no prompt", "items[0].prompt")]
    [InlineData("strength out of range", "alignment_sweep[1].alignment_strength")]
    public async Task A_wrong_field_is_named(string what, string field)
    {
        await using var server = await ServerFixture.StartAsync();
        var request = Request;
        switch (what)
        {
            case "no items": request.Items.Clear(); break;
            case "no strengths": request.AlignmentSweep.Clear(); break;
            case "both kinds of strength": request.AlignmentSweep[0].AlignmentStrengths["aligned"] = 1; break;
            case "no continuation": request.Items[0].ClearContinuation(); break;
            case "continuation of a chat": request.Items[1].Text = "a"; break;
            case "no prompt": request.Items[0].Prompt = null; break;
            default: request.AlignmentSweep[1].AlignmentStrength = 11; break;
        }
        var refusal = await Assert.ThrowsAsync<RpcException>(async () =>
            await server.Inference.ScoreAsync(request, cancellationToken: Stop));
        Assert.Equal(StatusCode.InvalidArgument, refusal.StatusCode);
        Assert.Equal(field, refusal.GetRpcStatus()!.GetDetail<BadRequest>()!.FieldViolations.Single().Field);
    }

    private static ScoredStrength Strength(double strength) => new() { AlignmentStrength = strength };
}
