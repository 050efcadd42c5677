using DeRa.Client.Alignment;
using DeRa.Testing.Server;
using Microsoft.Extensions.AI;
using Xunit;

namespace DeRa.Clients.Tests.Own;

/// <summary>Scores by DeRa's own client, over both transports.</summary>
public class ScoreTests
{
    public static TheoryData<string> Transports => ChatTests.Transports;

    [Theory]
    [MemberData(nameof(Transports))]
    public async Task Texts_tokens_and_conversations_have_the_scores_of_a_raw_request(string transport)
    {
        await using var server = await ServerFixture.StartAsync();
        using var client = new ClientUnderTest(transport, server);
        var raw = (await server.PostAsync("/v1/realignment/score", """
            {"items":[{"prompt":"ab","continuation":"cde"},{"prompt":[97,98],"continuation":[99]},
            {"messages":[{"role":"user","content":"a"},{"role":"assistant","content":"b"}]}],"alignment_sweep":[0,0.5,2],"per_token":true}
            """)).Json.GetProperty("items").EnumerateArray().ToList();
        var items = await client.ScoreAsync(
            [
                ScoreItem.OfTexts("ab", "cde"),
                ScoreItem.OfTokens([97, 98], [99]),
                ScoreItem.OfConversation([new(ChatRole.User, "a"), new(ChatRole.Assistant, "b")]),
            ],
            [0, 0.5, 2], new ScoreOptions { Model = "pair", PerToken = true, CacheSalt = "s" });
        Assert.Equal(3, items.Count);
        foreach (var (said, item) in raw.Zip(items))
        {
            Assert.Equal(said.GetProperty("tokens").GetInt32(), item.TokenCount);
            Assert.Equal(said.GetProperty("logprob_reference").GetDouble(), item.LogProbReference);
            Assert.Equal(said.GetProperty("logprob_aligned").GetDouble(), item.LogProbAligned);
            Assert.Equal(said.GetProperty("token_ids").EnumerateArray().Select(one => one.GetInt32()), item.TokenIds);
            Assert.Equal([0, 0.5, 2], item.Scores.Select(score => score.Strength));
            foreach (var (own, score) in said.GetProperty("scores").EnumerateArray().Zip(item.Scores))
            {
                Assert.Equal((own.GetProperty("logprob").GetDouble(), own.GetProperty("perplexity").GetDouble()),
                    (score.LogProb, score.Perplexity));
                Assert.Equal(own.GetProperty("kl_to_reference").GetDouble(), score.KlToReference);
                Assert.Equal(own.GetProperty("token_logprobs").EnumerateArray().Select(one => one.GetDouble()), score.TokenLogProbs);
            }
        }
        Assert.Empty((await client.ScoreAsync([ScoreItem.OfTexts("ab", "cde")], [1], null)).Single().TokenIds);
    }
}
