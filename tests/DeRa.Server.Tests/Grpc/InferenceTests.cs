using DeRa.Engine.Requests;
using DeRa.Engine.Scheduling;
using DeRa.Protos.V1;
using DeRa.Testing;
using Google.Protobuf;
using Grpc.Core;
using Xunit;
using ChatMessage = DeRa.Protos.V1.ChatMessage;
using FinishReason = DeRa.Protos.V1.FinishReason;

namespace DeRa.Server.Tests.Grpc;

public class InferenceTests
{
    private static readonly CancellationToken Stop = TestContext.Current.CancellationToken;

    private static Prompt Text(string text) => new() { Text = text };

    [Fact]
    public async Task Generate_answers_with_text_tokens_strength_and_usage()
    {
        await using var server = await ServerFixture.StartAsync(Scripts.Saying("hé"));
        var reply = await server.Inference.GenerateAsync(new GenerateRequest
        {
            Model = "pair",
            Prompt = Text("ab"),
            Options = new GenerationOptions { AlignmentStrength = 0, MaxTokens = 9, Seed = 4 },
        }, cancellationToken: Stop);
        var choice = Assert.Single(reply.Choices);
        Assert.Equal(("pair", 0.0, 4, "hé", FinishReason.Stop),
            (reply.Model, reply.AlignmentStrength, reply.Seed, choice.Text, choice.FinishReason));
        Assert.Equal(['h', 0xC3, 0xA9, ByteTokenizer.Eos], choice.Tokens.Select(token => token.Id));
        Assert.Equal([0, 1, 1, 2], choice.Tokens.Select(token => token.TextOffset));
        Assert.Equal(ByteString.CopyFrom(0xC3), choice.Tokens[1].Bytes);
        Assert.True(choice.Tokens[3].Bytes.IsEmpty);
        Assert.All(choice.Tokens, token => Assert.False(token.HasLogprob));
        Assert.Equal((3, 4), (reply.Usage.PromptTokens, reply.Usage.CompletionTokens));
    }

    [Fact]
    public async Task What_is_not_set_is_not_zero()
    {
        Readout? decision = null;
        var executor = Scripts.Saying(new string('x', 100));
        executor.BeforeStep = plan => decision ??= plan.Find(readout => readout.Sampling is not null);
        await using var server = await ServerFixture.StartAsync(executor);
        var reply = await server.Inference.GenerateAsync(new GenerateRequest { Prompt = Text("a") }, cancellationToken: Stop);
        Assert.Equal(1, reply.AlignmentStrength);
        Assert.Equal(new string('x', 16), reply.Choices[0].Text);
        Assert.Equal(FinishReason.Length, reply.Choices[0].FinishReason);
        var sampling = decision!.Value.Sampling!.Value.Parameters;
        Assert.Equal((1f, 1f, 1f), (sampling.Temperature, sampling.TopP, sampling.RepetitionPenalty));
    }

    [Fact]
    public async Task Every_tunable_reaches_the_engine()
    {
        Readout? decision = null;
        var executor = Scripts.Saying("hello");
        executor.BeforeStep = plan => decision ??= plan.Find(readout => readout.Strengths[0] == 1.5);
        await using var server = await ServerFixture.StartAsync(executor);
        await server.Inference.GenerateAsync(new GenerateRequest
        {
            Prompt = new Prompt { TokenIds = new TokenIds { Ids = { 65, 66 } } },
            Options = new GenerationOptions
            {
                AlignmentStrength = 1.5,
                MaxTokens = 3,
                Temperature = 0.7,
                TopK = 5,
                TopP = 0.9,
                MinP = 0.05,
                RepetitionPenalty = 1.1,
                FrequencyPenalty = 0.2,
                PresencePenalty = -0.3,
                LogitBias = { [65] = 1.5 },
                Seed = 42,
                IgnoreEos = true,
            },
        }, cancellationToken: Stop);
        Assert.Equal([65, 66], decision!.Value.Sampling!.Value.History.ToArray());
        var sampling = decision.Value.Sampling.Value.Parameters;
        Assert.Equal((0.7f, 5, 0.9f, 0.05f, 1.1f, 0.2f, -0.3f, 1.5f),
            (sampling.Temperature, sampling.TopK, sampling.TopP, sampling.MinP, sampling.RepetitionPenalty,
                sampling.FrequencyPenalty, sampling.PresencePenalty, sampling.LogitBias[65]));
        Assert.Equal(GumbelNoise.Key(42, 0, 0, 2), decision.Value.Sampling.Value.NoiseKey);
    }

    [Fact]
    public async Task A_stream_starts_grows_and_finishes()
    {
        await using var server = await ServerFixture.StartAsync(Scripts.Saying("one 日本 STOP two"));
        var events = await StreamAsync(server, new GenerateStreamRequest
        {
            Prompt = Text("ab"),
            Options = new GenerationOptions { AlignmentStrength = 0.5, MaxTokens = 99, Stop = { "STOP" }, Seed = 9 },
        });
        Assert.Equal(("pair", 0.5, 9, 3),
            (events[0].Started.Model, events[0].Started.AlignmentStrength, events[0].Started.Seed, events[0].Started.PromptTokens));
        Assert.Equal("one 日本 ", string.Concat(events.Skip(1).SkipLast(1).Select(e => e.Delta.Text)));
        Assert.All(events.Skip(1).SkipLast(1), e => Assert.DoesNotContain('\uFFFD', e.Delta.Text));
        var finished = events[^1].Finished;
        Assert.Equal((FinishReason.Stop, "STOP", 3), (finished.FinishReason, finished.Stop, finished.Usage.PromptTokens));
        Assert.True(finished.Usage.CompletionTokens >= "one 日本 STOP"u8.Length);
    }

    [Fact]
    public async Task A_stream_gives_what_generate_gives_and_what_HTTP_gives()
    {
        await using var server = await ServerFixture.StartAsync();
        var options = new GenerationOptions { AlignmentStrength = 0.5, MaxTokens = 20, Seed = 11, N = 3, IgnoreEos = true, Logprobs = 2 };
        var whole =
            await server.Inference.GenerateAsync(new GenerateRequest { Prompt = Text("ab"), Options = options }, cancellationToken: Stop);
        var events = await StreamAsync(server, new GenerateStreamRequest { Prompt = Text("ab"), Options = options });
        var http = await server.CompleteAsync(
            """{"prompt":"ab","lambda":0.5,"max_tokens":20,"seed":11,"n":3,"ignore_eos":true,"return_token_ids":true}""");
        for (var i = 0; i < 3; i++)
        {
            var deltas = events.Where(e => e.Delta?.Index == i).Select(e => e.Delta).ToList();
            Assert.Equal(whole.Choices[i].Text, string.Concat(deltas.Select(delta => delta.Text)));
            Assert.Equal(whole.Choices[i].Tokens, deltas.SelectMany(delta => delta.Tokens));
            Assert.All(whole.Choices[i].Tokens, token => Assert.True(token.HasLogprob && token.Alternatives.Count == 2));
            Assert.Equal("[" + string.Join(',', whole.Choices[i].Tokens.Select(token => token.Id)) + "]",
                http.Choice(i).GetProperty("token_ids").GetRawText());
            Assert.Single(events, e => e.Finished?.Index == i);
        }
        // The second time the prompt may be in the prefix cache.
        Assert.Equal(whole.Usage, new Usage(events[^1].Finished.Usage) { CachedTokens = whole.Usage.CachedTokens });
    }

    [Fact]
    public async Task Echo_scores_the_prompt()
    {
        await using var server = await ServerFixture.StartAsync();
        var reply = await server.Inference.GenerateAsync(new GenerateRequest
        {
            Prompt = Text("cat"),
            Options = new GenerationOptions { MaxTokens = 0, Echo = true, Logprobs = 0 },
        }, cancellationToken: Stop);
        Assert.Equal("cat", reply.Choices[0].Text);
        Assert.Equal([false, true, true, true], reply.Choices[0].Tokens.Select(token => token.HasLogprob));
        Assert.All(reply.Choices[0].Tokens, token => Assert.True(token.IsPrompt));
    }

    [Fact]
    public async Task A_conversation_is_answered()
    {
        await using var server = await ServerFixture.StartAsync(Scripts.Saying(" Hi."));
        var conversation = new Conversation
        {
            Messages = { new ChatMessage { Role = Role.System, Content = "s" }, new ChatMessage { Role = Role.User, Content = "u" } },
        };
        var reply = await server.Inference.GenerateAsync(
            new GenerateRequest { Prompt = new Prompt { Messages = conversation } }, cancellationToken: Stop);
        var http = await server.ChatAsync("""{"messages":[{"role":"system","content":"s"},{"role":"user","content":"u"}]}""");
        Assert.Equal(http.Text(), reply.Choices[0].Text);
        Assert.Equal(http.Json.GetProperty("usage").GetProperty("prompt_tokens").GetInt32(), reply.Usage.PromptTokens);
    }

    [Fact]
    public async Task A_cancelled_call_frees_its_blocks()
    {
        await using var server = await ServerFixture.StartAsync(Scripts.Endless());
        using var gone = CancellationTokenSource.CreateLinkedTokenSource(Stop);
        using var call = server.Inference.GenerateStream(new GenerateStreamRequest
        {
            Prompt = Text("a"),
            Options = new GenerationOptions { MaxTokens = 1_000_000, N = 2 },
        }, cancellationToken: gone.Token);
        Assert.True(await call.ResponseStream.MoveNext(Stop));
        Assert.True(await call.ResponseStream.MoveNext(Stop));
        await gone.CancelAsync();
        await ServerFixture.EventuallyAsync(() => server.Engine.Status is { BlocksInUse: 0, RunningSequences: 0 });
        var after = await server.Inference.GenerateAsync(
            new GenerateRequest { Prompt = Text("a"), Options = new GenerationOptions { MaxTokens = 2 } }, cancellationToken: Stop);
        Assert.Equal("aa", after.Choices[0].Text);
    }

    [Fact]
    public async Task A_deadline_that_passes_frees_the_blocks()
    {
        await using var server = await ServerFixture.StartAsync(Scripts.Endless());
        var fault = await Assert.ThrowsAsync<RpcException>(async () => await server.Inference.GenerateAsync(
            new GenerateRequest { Prompt = Text("a"), Options = new GenerationOptions { MaxTokens = 1_000_000 } },
            deadline: DateTime.UtcNow.AddSeconds(1), cancellationToken: Stop));
        Assert.Equal(StatusCode.DeadlineExceeded, fault.StatusCode);
        await ServerFixture.EventuallyAsync(() => server.Engine.Status is { BlocksInUse: 0, RunningSequences: 0 });
    }

    private static async Task<List<GenerateStreamResponse>> StreamAsync(ServerFixture server, GenerateStreamRequest request)
    {
        using var call = server.Inference.GenerateStream(request, cancellationToken: Stop);
        return await call.ResponseStream.ReadAllAsync(Stop).ToListAsync(Stop);
    }
}
