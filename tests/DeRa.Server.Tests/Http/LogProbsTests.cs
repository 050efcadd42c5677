using System.Text.Json;
using DeRa.Testing;
using Xunit;

namespace DeRa.Server.Tests.Http;

public class LogProbsTests
{
    private static float[] LogSoftmax(float[] logits)
    {
        var sum = Math.Log(logits.Sum(logit => Math.Exp(logit)));
        return Array.ConvertAll(logits, logit => (float)(logit - sum));
    }

    private static IEnumerable<string> Strings(JsonElement list) => list.EnumerateArray().Select(e => e.GetString()!);

    [Fact]
    public async Task Completions_list_tokens_probabilities_alternatives_and_offsets()
    {
        var executor = Scripts.Saying("hé!");
        await using var server = await ServerFixture.StartAsync(executor);
        var reply = await server.CompleteAsync("""{"prompt":"ab","max_tokens":10,"logprobs":2,"alignment_strength":0.3}""");
        var logProbs = reply.Choice().GetProperty("logprobs");
        Assert.Equal(["h", @"bytes:\xc3", @"bytes:\xa9", "!", "</s>"], Strings(logProbs.GetProperty("tokens")));
        Assert.Equal("[0,1,1,2,3]", logProbs.GetProperty("text_offset").GetRawText());
        var expected = LogSoftmax(executor.MixedLogits([ByteTokenizer.Bos, 'a', 'b'], 0.3));
        Assert.Equal(expected['h'], logProbs.GetProperty("token_logprobs")[0].GetSingle(), 4);
        var top = logProbs.GetProperty("top_logprobs")[0];
        Assert.Equal(3, top.EnumerateObject().Count());
        Assert.Equal(expected['h'], top.GetProperty("h").GetSingle(), 4);
        Assert.Equal(expected.Max(), top.EnumerateObject().Max(entry => entry.Value.GetSingle()), 4);
    }

    [Fact]
    public async Task No_alternatives_still_give_the_token_itself()
    {
        await using var server = await ServerFixture.StartAsync(Scripts.Saying("h"));
        var reply = await server.CompleteAsync("""{"prompt":"ab","max_tokens":1,"logprobs":0}""");
        var top = reply.Choice().GetProperty("logprobs").GetProperty("top_logprobs")[0];
        Assert.Equal("h", Assert.Single(top.EnumerateObject()).Name);
    }

    [Fact]
    public async Task Echo_with_no_tokens_scores_the_prompt()
    {
        var executor = new ScriptedExecutor();
        await using var server = await ServerFixture.StartAsync(executor);
        var reply = await server.CompleteAsync("""{"prompt":"cat","max_tokens":0,"echo":true,"logprobs":1,"lambda":1.5}""");
        Assert.Equal(200, reply.Status);
        Assert.Equal("cat", reply.Text());
        Assert.Equal("length", reply.Choice().GetProperty("finish_reason").GetString());
        Assert.Equal(0, reply.Json.GetProperty("usage").GetProperty("completion_tokens").GetInt32());
        var logProbs = reply.Choice().GetProperty("logprobs");
        Assert.Equal(["<s>", "c", "a", "t"], Strings(logProbs.GetProperty("tokens")));
        Assert.Equal("[0,0,1,2]", logProbs.GetProperty("text_offset").GetRawText());
        Assert.Equal(JsonValueKind.Null, logProbs.GetProperty("token_logprobs")[0].ValueKind);
        Assert.Equal(JsonValueKind.Null, logProbs.GetProperty("top_logprobs")[0].ValueKind);
        int[] prompt = [ByteTokenizer.Bos, 'c', 'a', 't'];
        for (var i = 1; i < prompt.Length; i++)
            Assert.Equal(LogSoftmax(executor.MixedLogits(prompt.AsSpan(0, i), 1.5))[prompt[i]],
                logProbs.GetProperty("token_logprobs")[i].GetSingle(), 4);
    }

    [Fact]
    public async Task Offsets_run_on_over_the_chunks_of_a_stream()
    {
        const string request = """{"prompt":"né","max_tokens":8,"echo":true,"logprobs":1,"seed":3,"ignore_eos":true,"stop":"!!"}""";
        await using var server = await ServerFixture.StartAsync(Scripts.Saying("日本! go!"));
        var whole = (await server.CompleteAsync(request)).Choice().GetProperty("logprobs");
        var chunks = (await server.CompleteAsync(request.Insert(1, "\"stream\":true,"))).Events()
            .Select(e => e.GetProperty("choices")[0].GetProperty("logprobs")).Where(l => l.ValueKind == JsonValueKind.Object).ToList();
        foreach (var list in (string[])["tokens", "token_logprobs", "text_offset", "top_logprobs"])
            Assert.Equal(
                whole.GetProperty(list).EnumerateArray().Select(e => e.GetRawText()),
                chunks.SelectMany(chunk => chunk.GetProperty(list).EnumerateArray()).Select(e => e.GetRawText()));
    }

    [Fact]
    public async Task Chat_lists_tokens_with_their_bytes()
    {
        var executor = Scripts.Saying("é");
        await using var server = await ServerFixture.StartAsync(executor);
        var reply = await server.ChatAsync("""{"messages":[{"role":"user","content":"x"}],"logprobs":true,"top_logprobs":2}""");
        var content = reply.Choice().GetProperty("logprobs").GetProperty("content");
        Assert.Equal("[195]", content[0].GetProperty("bytes").GetRawText());
        Assert.Equal(@"bytes:\xc3", content[0].GetProperty("token").GetString());
        Assert.Equal("[169]", content[1].GetProperty("bytes").GetRawText());
        Assert.Equal("</s>", content[2].GetProperty("token").GetString());
        Assert.Equal(JsonValueKind.Null, content[2].GetProperty("bytes").ValueKind);
        Assert.All(content.EnumerateArray(), token => Assert.Equal(2, token.GetProperty("top_logprobs").GetArrayLength()));
        var plain = await server.ChatAsync("""{"messages":[{"role":"user","content":"x"}],"logprobs":true}""");
        Assert.Equal(0, plain.Choice().GetProperty("logprobs").GetProperty("content")[0].GetProperty("top_logprobs").GetArrayLength());
    }
}
