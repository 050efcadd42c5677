using DeRa.Protos.V1;
using DeRa.Server.Options;
using DeRa.Testing;
using Grpc.Core;
using Xunit;

namespace DeRa.Server.Tests.Security;

/// <summary>Each limit of a request's content: as set by its option and as it is by default, on the edge and one past it.</summary>
public class LimitEdgeTests
{
    private static readonly CancellationToken Stop = TestContext.Current.CancellationToken;

    private sealed record Edge(ServerOptions Options, string Field, Func<int, string> Body, int Last)
    {
        public string Path { get; init; } = "/v1/completions";
    }

    private static ServerOptions Default => new();

    private static string Fields(string fields) => $$"""{"prompt":"a","max_tokens":1,{{fields}}}""";

    private static string Repeat(string text, int count) => string.Join(',', Enumerable.Repeat(text, count));

    private static string Bias(int entries) => string.Join(',', Enumerable.Range(0, entries).Select(i => $"\"{i}\":1"));

    private static string Hundredths(int number) => (number / 100m).ToString(System.Globalization.CultureInfo.InvariantCulture);

    private static Edge Prompts(ServerOptions options, int last) =>
        new(options, "prompt", count => $$"""{"prompt":[{{Repeat("\"a\"", count)}}],"max_tokens":1}""", last);

    private static Edge Choices(ServerOptions options, int last) => new(options, "n", count => Fields($"\"n\":{count}"), last);

    private static Edge Stops(ServerOptions options, int last) =>
        new(options, "stop", count => Fields($"\"stop\":[{Repeat("\"x\"", count)}]"), last);

    private static Edge StopBytes(ServerOptions options, int last) =>
        new(options, "stop", bytes => Fields($"\"stop\":\"é{new string('x', bytes - 2)}\""), last);

    private static Edge BiasEntries(ServerOptions options, int last) =>
        new(options, "logit_bias", count => Fields($"\"logit_bias\":{{{Bias(count)}}}"), last);

    private static Edge Best(ServerOptions options, int last) => new(options, "best_of", count => Fields($"\"best_of\":{count}"), last);

    private static Edge Allowed(ServerOptions options, int last) => new(
        options, "allowed_token_ids", count => Fields($"\"allowed_token_ids\":[257,{Repeat("1", count - 1)}]"), last);

    private static Edge StopTokens(ServerOptions options, int last) =>
        new(options, "stop_token_ids", count => Fields($"\"stop_token_ids\":[{Repeat("1", count)}]"), last);

    private static Edge BadWords(ServerOptions options, int last) =>
        new(options, "bad_words", count => Fields($"\"bad_words\":[{Repeat("\"x\"", count)}]"), last);

    private static Edge LogProbs(ServerOptions options, int last) =>
        new(options, "logprobs", count => Fields($"\"logprobs\":{count}"), last);

    private static Edge Depth(ServerOptions options, int last) =>
        new(options, "x", depth => Fields($"\"x\":{new string('[', depth - 1)}{new string(']', depth - 1)}"), last);

    private static readonly Dictionary<string, Edge> Edges = new()
    {
        ["prompts"] = Prompts(Default with { Limits = Default.Limits with { MaxPrompts = 3 } }, 3),
        ["prompts by default"] = Prompts(Default, 64),
        ["n"] = Choices(Default with { Limits = Default.Limits with { MaxChoices = 5 } }, 5),
        ["n by default"] = Choices(Default, 128),
        ["stop strings"] = Stops(Default with { Limits = Default.Limits with { MaxStopStrings = 2 } }, 2),
        ["stop strings by default"] = Stops(Default, 16),
        ["bytes of a stop string"] = StopBytes(Default with { Limits = Default.Limits with { MaxStopStringBytes = 5 } }, 5),
        ["bytes of a stop string by default"] = StopBytes(Default, 256),
        ["entries of logit_bias"] = BiasEntries(Default with { Limits = Default.Limits with { MaxLogitBiasEntries = 2 } }, 2),
        ["entries of logit_bias by default"] = BiasEntries(Default, 1024),
        ["value of logit_bias"] =
            new(Default, "logit_bias[7]", value => Fields($$"""{{"\"logit_bias\""}}:{"7":{{Hundredths(value)}}}"""), 100_00),
        ["lowest value of logit_bias"] =
            new(Default, "logit_bias[7]", value => Fields($$"""{{"\"logit_bias\""}}:{"7":-{{Hundredths(value)}}}"""), 100_00),
        ["best_of"] = Best(Default with { Limits = Default.Limits with { MaxBestOf = 3 } }, 3),
        ["best_of by default"] = Best(Default, 20),
        ["allowed tokens"] = Allowed(Default with { Limits = Default.Limits with { MaxAllowedTokens = 3 } }, 3),
        ["allowed tokens by default"] = Allowed(Default, 1024),
        ["stop tokens"] = StopTokens(Default with { Limits = Default.Limits with { MaxStopTokens = 2 } }, 2),
        ["stop tokens by default"] = StopTokens(Default, 128),
        ["bad words"] = BadWords(Default with { Limits = Default.Limits with { MaxBadWords = 2 } }, 2),
        ["bad words by default"] = BadWords(Default, 128),
        ["logprobs"] = LogProbs(Default with { Limits = Default.Limits with { MaxLogprobs = 3 } }, 3),
        ["logprobs by default"] = LogProbs(Default, 20),
        ["prompt_logprobs by default"] = new(Default, "prompt_logprobs", count => Fields($"\"prompt_logprobs\":{count}"), 20),
        ["top_logprobs by default"] = new(Default, "top_logprobs",
            count => $$"""{"messages":[{"role":"user","content":"a"}],"max_tokens":1,"logprobs":true,"top_logprobs":{{count}}}""", 20)
        {
            Path = "/v1/chat/completions",
        },
        ["strength"] = new(Default with { Limits = Default.Limits with { MaxStrength = 2.5 } }, "alignment_strength", value =>
            Fields($"\"alignment_strength\":{Hundredths(value)}"), 2_50),
        ["strength by default"] = new(Default, "lambda", value => Fields($"\"lambda\":{Hundredths(value)}"), 10_00),
        ["lowest strength"] = new(Default with { Limits = Default.Limits with { MinStrength = -0.5 } }, "lambda", value =>
            Fields($"\"lambda\":-{Hundredths(value)}"), 50),
        ["lowest strength by default"] = new(Default, "lambda", value => Fields($"\"lambda\":-{Hundredths(value)}"), 1_00),
        ["temperature"] = new(Default, "temperature", value => Fields($"\"temperature\":{Hundredths(value)}"), 2_00),
        // 254 and the prompt's two are the context of 256.
        ["context"] = new(Default, "max_tokens", count => $$"""{"prompt":"a","max_tokens":{{count}}}""", 254),
        // 16 × 256 are the cache's 512 blocks of 8.
        ["cache"] = new(Default, "n", count => $$"""{"prompt":"a","max_tokens":254,"n":{{count}}}""", 16),
        ["cache by prompts"] = new(Default, "max_tokens", count => $$"""{"prompt":[{{Repeat("\"a\"", count)}}],"max_tokens":254}""", 16),
        ["queue of sequences"] = Prompts(Default with { Engine = Default.Engine with { MaxQueued = 3 } }, 3),
        ["queue of tokens"] = Prompts(Default with { Engine = Default.Engine with { MaxQueuedTokens = 11 } }, 5),
        ["depth"] = Depth(Default with { Body = Default.Body with { MaxJsonDepth = 10 } }, 10),
        ["depth by default"] = Depth(Default, 64),
    };

    public static TheoryData<string> Names => [.. Edges.Keys];

    [Theory]
    [MemberData(nameof(Names))]
    public async Task On_the_edge_a_request_is_served_and_one_past_it_refused(string name)
    {
        var edge = Edges[name];
        // More tokens than the tokenizer has, for logit_bias.
        var executor = new ScriptedExecutor(vocabularySize: 2000) { Script = _ => ByteTokenizer.Eos };
        await using var server = await SecuredServer.StartAsync(edge.Options, executor);
        var served = await server.PostAsync(edge.Path, edge.Body(edge.Last));
        Assert.True(served.Status == 200, served.Body);
        var refused = await server.PostAsync(edge.Path, edge.Body(edge.Last + 1));
        Assert.Equal((400, "invalid_request_error", edge.Field), (refused.Status, refused.Type, refused.Param));
        Assert.Equal(0, server.Engine.Status.BlocksInUse);
    }

    [Theory]
    [InlineData("0", 200)]
    [InlineData("0.01", 200)]
    [InlineData("0.0099", 400)]
    [InlineData("1e-300", 400)]
    [InlineData("-0.01", 400)]
    public async Task A_temperature_is_none_or_not_too_near_to_none(string temperature, int status)
    {
        await using var server = await ServerFixture.StartAsync(Scripts.Saying("x"));
        Assert.Equal(status, (await server.CompleteAsync(Fields($"\"temperature\":{temperature}"))).Status);
    }

    [Theory]
    [InlineData("alignment_strength")]
    [InlineData("temperature")]
    [InlineData("top_p")]
    [InlineData("min_p")]
    [InlineData("repetition_penalty")]
    [InlineData("frequency_penalty")]
    [InlineData("presence_penalty")]
    public async Task What_is_not_finite_is_refused(string field)
    {
        await using var server = await ServerFixture.StartAsync(Scripts.Saying("x"));
        foreach (var value in (string[])["1e999", "-1e999", "NaN", "Infinity", "\"NaN\""])
        {
            var refused = await server.CompleteAsync(Fields($"\"{field}\":{value}"));
            Assert.Equal((400, field), (refused.Status, refused.Param));
        }
    }

    [Theory]
    [InlineData(1024)]
    [InlineData(4 << 20)]
    public async Task A_body_may_be_so_long_and_not_a_byte_longer(int bytes)
    {
        await using var server = await SecuredServer.StartAsync(new ServerOptions { Body = new() { MaxBodyBytes = bytes } });
        string Body(int length) => """{"prompt":"a"}""" + new string(' ', length - """{"prompt":"a"}""".Length);
        Assert.Equal(200, (await server.CompleteAsync(Body(bytes))).Status);
        using var request = SecuredServer.Request(HttpMethod.Post, "/v1/completions", json: Body(bytes + 1));
        // Waiting for the server's word before the body goes out keeps a refusal from being lost in a broken connection.
        request.Headers.ExpectContinue = true;
        var refused = await server.SendAsync(request);
        Assert.Equal((413, "invalid_request_error"), (refused.Status, refused.Type));
    }

    [Fact]
    public async Task A_gRPC_message_may_be_so_long_and_not_a_byte_longer()
    {
        const int bytes = 2000;
        await using var server = await SecuredServer.StartAsync(
            new ServerOptions { Body = new() { MaxBodyBytes = bytes } },
                new ScriptedExecutor(contextTokens: 4096) { Script = _ => ByteTokenizer.Eos });
        GenerateRequest Message(int length)
        {
            var message = new GenerateRequest
            {
                Prompt = new Prompt { Text = new string('a', length - 20) },
                Options = new GenerationOptions { MaxTokens = 1 }
            };
            while (message.CalculateSize() < length) message.Prompt.Text += 'a';
            return message;
        }
        Assert.Equal(bytes, Message(bytes).CalculateSize());
        Assert.Single((await server.Inference.GenerateAsync(Message(bytes), cancellationToken: Stop)).Choices);
        var fault = await Assert.ThrowsAsync<RpcException>(async () =>
            await server.Inference.GenerateAsync(Message(bytes + 1), cancellationToken: Stop));
        Assert.Equal(StatusCode.ResourceExhausted, fault.StatusCode);
    }
}
