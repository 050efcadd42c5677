using System.Text.Json.Nodes;
using DeRa.Cli.Tests.Bench.Serve;
using DeRa.Serving.Requests;
using DeRa.Serving.Sweeps;
using Microsoft.AspNetCore.Http;
using Xunit;

namespace DeRa.Cli.Tests.Sweep;

public sealed class ServerEndpointTests
{
    private static readonly SweepPrompt s_prompt = new(new TextPrompt("Once"), "Once", "prompts.txt:1");
    private static readonly CancellationToken s_stop = TestContext.Current.CancellationToken;

    [Fact]
    public async Task What_may_pass_is_tried_again()
    {
        await using var server = await ScriptedServer.StartAsync((context, number) => number switch
        {
            0 => ScriptedServer.RefuseAsync(context, 429, "{}"),
            1 => ScriptedServer.RefuseAsync(context, 503, "{}"),
            2 => Task.Run(context.Abort),
            _ => context.Response.WriteAsync("""
                {"choices": [{"text": " a", "finish_reason": "stop", "token_ids": [4, 2], "prompt_token_ids": [1, 3]},
                             {"text": " b", "finish_reason": "length", "token_ids": [5, 6], "prompt_token_ids": [1, 3]}]}
                """),
        });
        using var endpoint = new ServerEndpoint(new Uri(server.Address, "v1"), "key", Settings(), TimeSpan.FromMilliseconds(1));
        var texts = await endpoint.GenerateAsync(s_prompt, 7, [0.5], 2, s_stop);
        Assert.Equal([(" a", 1, true), (" b", 2, false)], texts.Select(text => (text.Text, text.Length, text.IsFinished)));
        Assert.All(texts, text => Assert.Equal([1, 3], text.Tokens.Prompt));
        Assert.Equal(4, server.Requests.Count);
        Assert.All(server.Authorizations, one => Assert.Equal("Bearer key", one));
        Assert.True(JsonNode.DeepEquals(JsonNode.Parse("""
            {"alignment_sweep": [0.5], "n": 2, "seed": 7, "max_tokens": 4, "temperature": 1, "top_p": 1, "top_k": 0, "min_p": 0,
             "repetition_penalty": 1, "return_token_ids": true, "prompt": "Once"}
            """), server.Requests[3]), server.Requests[3].ToJsonString());
    }

    [Theory]
    [InlineData(400, "'n' is 2", typeof(InvalidRequestException))]
    [InlineData(401, "status 401: 'n' is 2", typeof(HttpRequestException))]
    [InlineData(200, "is it a server of dera's?", typeof(HttpRequestException))]
    public async Task Other_responses_say_what_is_wrong(int status, string message, Type error)
    {
        await using var server = await ScriptedServer.StartAsync((context, _) =>
            ScriptedServer.RefuseAsync(context, status, """{"message": "'n' is 2"}"""));
        using var endpoint = new ServerEndpoint(server.Address, null, Settings(), TimeSpan.FromMilliseconds(1));
        var thrown = await Assert.ThrowsAsync(error, () => endpoint.GenerateAsync(s_prompt, 7, [0.5], 2, s_stop));
        Assert.Contains(message, thrown.Message, StringComparison.Ordinal);
        Assert.Single(server.Requests);
    }

    private static SweepSettings Settings() => new() { Strengths = [.5], Samples = 2, MaxTokens = 4 };
}
