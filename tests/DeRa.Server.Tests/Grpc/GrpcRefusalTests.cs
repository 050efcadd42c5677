using DeRa.Engine;
using DeRa.Protos.V1;
using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using Google.Rpc;
using Grpc.Core;
using Xunit;

namespace DeRa.Server.Tests.Grpc;

public class GrpcRefusalTests
{
    private static readonly CancellationToken Stop = TestContext.Current.CancellationToken;

    private static GenerateRequest Request(Action<GenerateRequest>? change = null)
    {
        var request = new GenerateRequest { Prompt = new Prompt { Text = "a" }, Options = new GenerationOptions() };
        change?.Invoke(request);
        return request;
    }

    private static readonly ChatMessage Hello = new() { Role = Role.User, Content = "a" };

    private static Prompt Talk(ChatMessage message, Action<Conversation>? change = null)
    {
        var talk = new Conversation { Messages = { message } };
        change?.Invoke(talk);
        return new Prompt { Messages = talk };
    }

    private static readonly Dictionary<string, (Action<GenerateRequest> Change, string Field, string Message)> Bad = new()
    {
        ["strength is NaN"] = (r => r.Options.AlignmentStrength = double.NaN, "options.alignment_strength", "NaN"),
        ["strength is infinite"] =
            (r => r.Options.AlignmentStrength = double.PositiveInfinity, "options.alignment_strength", "between -1 and 10"),
        ["strength too high"] = (r => r.Options.AlignmentStrength = 11, "options.alignment_strength", "between -1 and 10"),
        ["max_tokens negative"] = (r => r.Options.MaxTokens = -2, "options.max_tokens", "at least 1"),
        ["max_tokens zero"] = (r => r.Options.MaxTokens = 0, "options.max_tokens", "at least 1"),
        ["max_tokens too many"] = (r => r.Options.MaxTokens = 10_000, "options.max_tokens", "256"),
        ["temperature"] = (r => r.Options.Temperature = double.NaN, "options.temperature", "between 0.01 and 2"),
        ["top_k"] = (r => r.Options.TopK = -2, "options.top_k", "at least -1"),
        ["top_p"] = (r => r.Options.TopP = -0.1, "options.top_p", "between 0 and 1"),
        ["min_p"] = (r => r.Options.MinP = 2, "options.min_p", "between 0 and 1"),
        ["repetition_penalty"] = (r => r.Options.RepetitionPenalty = 0, "options.repetition_penalty", "above 0"),
        ["frequency_penalty"] = (r => r.Options.FrequencyPenalty = 3, "options.frequency_penalty", "between -2 and 2"),
        ["presence_penalty"] = (r => r.Options.PresencePenalty = -3, "options.presence_penalty", "between -2 and 2"),
        ["logit_bias id"] = (r => r.Options.LogitBias[258] = 1, "options.logit_bias", "between 0 and 257"),
        ["logit_bias value"] = (r => r.Options.LogitBias[1] = 101, "options.logit_bias[1]", "between -100 and 100"),
        ["stop"] = (r => r.Options.Stop.Add(new string('x', 257)), "options.stop", "257 bytes; at most 256"),
        ["too many stops"] = (r => r.Options.Stop.AddRange(Enumerable.Repeat("x", 17)), "options.stop", "at most 16"),
        ["n"] = (r => r.Options.N = 0, "options.n", "between 1 and 128"),
        ["logprobs"] = (r => r.Options.Logprobs = 21, "options.logprobs", "between 0 and 20"),
        ["best_of"] = (r => r.Options.BestOf = 21, "options.best_of", "between 1 and 20"),
        ["prompt_logprobs"] = (r => r.Options.PromptLogprobs = 21, "options.prompt_logprobs", "between 0 and 20"),
        ["stop_token_ids"] = (r => r.Options.StopTokenIds.Add(258), "options.stop_token_ids[0]", "between 0 and 257"),
        ["min_tokens"] = (r => r.Options.MinTokens = 17, "options.min_tokens", "at most, 16"),
        ["bad_words"] = (r => r.Options.BadWords.Add(""), "options.bad_words", "between 1 and 256"),
        ["allowed_token_ids"] = (r => r.Options.AllowedTokenIds.Add(-1), "options.allowed_token_ids[0]", "between 0 and 257"),
        ["typical_p"] = (r => r.Options.TypicalP = double.NaN, "options.typical_p", "above 0 and at most 1"),
        ["cache_salt"] = (r => r.Options.CacheSalt = "", "options.cache_salt", "1 to 1024 bytes"),
        ["truncate_prompt_tokens"] =
            (r => r.Options.TruncatePromptTokens = 0, "options.truncate_prompt_tokens", "between 1 and 256, or -1"),
        ["no prompt"] = (r => r.Prompt = null, "prompt", "missing"),
        ["empty prompt"] = (r => r.Prompt = new Prompt(), "prompt", "missing"),
        ["no tokens"] = (r => r.Prompt = new Prompt { TokenIds = new TokenIds() }, "prompt.token_ids", "at least one token"),
        ["token outside the vocabulary"] =
            (r => r.Prompt = new Prompt { TokenIds = new TokenIds { Ids = { 1, 258 } } }, "prompt.token_ids", "from 0 to 257"),
        ["negative token"] = (r => r.Prompt = new Prompt { TokenIds = new TokenIds { Ids = { -1 } } }, "prompt.token_ids", "from 0 to 257"),
        ["too long a prompt"] = (r => r.Prompt = new Prompt { Text = new string('a', 300) }, "prompt.text", "256"),
        ["no messages"] = (r => r.Prompt = new Prompt { Messages = new Conversation() }, "prompt.messages", "at least one"),
        ["message without a role"] =
            (r => r.Prompt = new Prompt { Messages = new Conversation { Messages = { new ChatMessage { Content = "a" } } } },
            "prompt.messages.messages[0].role", "ROLE_USER"),
        ["role that the model does not know"] = (r => r.Prompt = Talk(new ChatMessage { RoleName = "king" }),
            "prompt.messages.messages[0].role", "one of"),
        ["two roles"] = (r => r.Prompt = Talk(new ChatMessage { Role = Role.User, RoleName = "tool" }),
            "prompt.messages.messages[0].role_name", "beside"),
        ["role without a name"] = (r => r.Prompt = Talk(new ChatMessage { RoleName = "" }), "prompt.messages.messages[0].role_name",
            "role's name"),
        ["two ends of a conversation"] = (r => r.Prompt = Talk(Hello,
            talk => (talk.AddGenerationPrompt, talk.ContinueFinalMessage) = (true, true)),
            "prompt.messages.continue_final_message", "both true"),
        ["reserved variable"] = (r => r.Prompt = Talk(Hello, talk =>
            talk.ChatTemplateKwargs = new() { Fields = { ["messages"] = Value.ForNull() } }),
            "prompt.messages.chat_template_kwargs.messages", "may not set"),
        ["variable that is no number"] = (r => r.Prompt = Talk(Hello, talk => talk.ChatTemplateKwargs = new()
        {
            Fields = { ["a"] = Value.ForList(Value.ForStruct(new Struct { Fields = { ["b"] = Value.ForNumber(double.NaN) } })) },
        }), "prompt.messages.chat_template_kwargs.a[0].b", "finite"),
        ["variable without a value"] = (r => r.Prompt = Talk(Hello,
            talk => talk.ChatTemplateKwargs = new() { Fields = { ["a"] = new Value() } }),
            "prompt.messages.chat_template_kwargs.a", "no value"),
        ["too many variables"] = (r => r.Prompt = Talk(Hello, talk => talk.ChatTemplateKwargs = new()
        {
            Fields = { Enumerable.Range(0, 65).ToDictionary(i => $"x{i}", _ => Value.ForNull()) },
        }), "prompt.messages.chat_template_kwargs", "at most 64"),
        ["empty second prompt"] = (r => r.MorePrompts.Add(new Prompt()), "more_prompts[0]", "missing"),
        ["third prompt outside the vocabulary"] = (r =>
            r.MorePrompts.Add([new() { Text = "a" }, new() { TokenIds = new() { Ids = { 258 } } }]),
            "more_prompts[1].token_ids", "from 0 to 257"),
        ["too many prompts"] = (r => r.MorePrompts.Add(Enumerable.Repeat(new Prompt { Text = "a" }, 64)), "prompt", "at most 64"),
        ["strengths by name"] = (r => r.Options.AlignmentStrengths["aligned"] = double.NegativeInfinity,
            "options.alignment_strengths.aligned", "between"),
        ["strength of a stranger"] = (r => r.Options.AlignmentStrengths["other"] = 1, "options.alignment_strengths.other",
            "none of the aligned"),
        ["schedule without a form"] = (r => r.Options.AlignmentSchedule = new(), "options.alignment_schedule", "ramp or points"),
        ["ramp without an end"] = (r => r.Options.AlignmentSchedule = new() { Ramp = new() { Start = 1, Tokens = 3 } },
            "options.alignment_schedule.ramp.end", "missing"),
        ["ramp of an unknown shape"] = (r =>
            r.Options.AlignmentSchedule = new() { Ramp = new() { Start = 1, End = 1, Tokens = 3, Shape = (ScheduleShape)9 } },
            "options.alignment_schedule.ramp.shape", "'linear', 'cosine', 'step'"),
        ["no points"] = (r => r.Options.AlignmentSchedule = new() { Points = new() },
            "options.alignment_schedule.points.points", "1 to 64"),
        ["points in no order"] = (r =>
            r.Options.AlignmentSchedule = new() { Points = new() { Points = { new SchedulePoint(), new SchedulePoint() } } },
            "options.alignment_schedule.points.points[1].from_token", "above 0"),
        ["point out of range"] = (r =>
            r.Options.AlignmentSchedule = new() { Points = new() { Points = { new SchedulePoint { AlignmentStrength = double.NaN } } } },
            "options.alignment_schedule.points.points[0].alignment_strength", "between -1 and 10"),
        ["schedule and strength"] = (r => (r.Options.AlignmentStrength, r.Options.AlignmentSchedule) =
            (1, new() { Points = new() { Points = { new SchedulePoint() } } }), "options.alignment_schedule", "both set"),
        ["message's strength out of range"] = (r => r.Prompt = Talk(new ChatMessage { Role = Role.User, AlignmentStrength = 11 }),
            "prompt.messages.messages[0].alignment_strength", "between -1 and 10"),
        ["strength of one prompt's message"] = (r => r.MorePrompts.Add(Talk(new ChatMessage { Role = Role.User, AlignmentStrength = 2 })),
            "more_prompts[0].messages.messages[0].alignment_strength", "one of several prompts"),
        ["too long a salt"] = (r => r.Options.CacheSalt = new string('x', 1025), "options.cache_salt", "1 to 1024"),
        ["min_tokens negative"] = (r => r.Options.MinTokens = -1, "options.min_tokens", "at least 0"),
        ["too many stop tokens"] = (r => r.Options.StopTokenIds.Add(Enumerable.Repeat(1, 129)), "options.stop_token_ids", "at most 128"),
        ["too many allowed tokens"] = (r => r.Options.AllowedTokenIds.Add(Enumerable.Repeat(1, 1025)), "options.allowed_token_ids",
            "at most 1024"),
        ["too many bad words"] = (r => r.Options.BadWords.Add(Enumerable.Repeat("x", 129)), "options.bad_words", "at most 128"),
        ["model with a bad strength"] = (r => r.Model = "pair@x", "model", "after '@'"),
        ["model with a strength out of range"] = (r => r.Model = "pair@11", "model", "between -1 and 10"),
    };

    public static TheoryData<string> BadNames => [.. Bad.Keys];

    [Theory]
    [MemberData(nameof(BadNames))]
    public async Task A_bad_field_is_refused_by_name_and_the_engine_goes_on(string name)
    {
        var (change, field, message) = Bad[name];
        await using var server = await ServerFixture.StartAsync(Scripts.Saying("fine"));
        var request = Request(change);
        var streamed = GenerateStreamRequest.Parser.ParseFrom(request.ToByteArray());
        foreach (var fault in (RpcException[])[await FaultAsync(server, request), await FaultAsync(server, streamed)])
        {
            Assert.Equal(StatusCode.InvalidArgument, fault.StatusCode);
            var violation = Assert.Single(fault.GetRpcStatus()!.GetDetail<BadRequest>()!.FieldViolations);
            Assert.Equal(field, violation.Field);
            Assert.True(ProtoPath.Exists(GenerateRequest.Descriptor, violation.Field), violation.Field);
            Assert.Contains(message, violation.Description, StringComparison.Ordinal);
        }
        Assert.Equal("fine", (await server.Inference.GenerateAsync(Request(), cancellationToken: Stop)).Choices[0].Text);
        Assert.Equal(0, server.Engine.Status.BlocksInUse);
    }

    [Fact]
    public async Task An_unknown_model_is_not_found()
    {
        await using var server = await ServerFixture.StartAsync();
        var fault = await FaultAsync(server, Request(r => r.Model = "other"));
        Assert.Equal(StatusCode.NotFound, fault.StatusCode);
        Assert.Equal("model", fault.GetRpcStatus()!.GetDetail<BadRequest>()!.FieldViolations[0].Field);
        Assert.Equal("model", fault.GetRpcStatus()!.GetDetail<ResourceInfo>()!.ResourceType);
    }

    [Theory]
    [InlineData('x')]
    [InlineData('é')]
    public async Task A_long_unknown_name_makes_no_long_trailers(char filling)
    {
        await using var server = await ServerFixture.StartAsync();
        var fault = await FaultAsync(server, Request(r => r.Model = new string(filling, 1 << 20)));
        Assert.Equal(StatusCode.NotFound, fault.StatusCode);
        Assert.EndsWith("is not served here; 'pair', 'pair-reference', 'pair-aligned' and 'pair@STRENGTH' are.", fault.Status.Detail,
            StringComparison.Ordinal);
        // Clients refuse trailers of more than 8 to 64 kB, or hang.
        Assert.InRange(fault.Trailers.Sum(entry => entry.IsBinary ? entry.ValueBytes.Length * 4 / 3 : entry.Value.Length), 1, 8_000);
    }

    [Fact]
    public async Task A_full_queue_says_when_to_come_back()
    {
        using var hold = new SemaphoreSlim(0);
        var executor = Scripts.Saying("abc");
        executor.BeforeStep = _ => hold.Wait(executor.TestOver);
        await using var server = await ServerFixture.StartAsync(executor,
            new EngineOptions { MaxRunning = 1, MaxBatchTokens = 16, MaxQueued = 1 });
        var running = server.Inference.GenerateAsync(Request(), cancellationToken: Stop);
        await ServerFixture.EventuallyAsync(() => server.Engine.Status is { RunningSequences: 1, QueuedSequences: 0 });
        var queued = server.Inference.GenerateAsync(Request(), cancellationToken: Stop);
        await ServerFixture.EventuallyAsync(() => server.Engine.Status.QueuedSequences == 1);
        var fault = await FaultAsync(server, Request());
        Assert.Equal(StatusCode.ResourceExhausted, fault.StatusCode);
        Assert.Equal(1, fault.GetRpcStatus()!.GetDetail<RetryInfo>()!.RetryDelay.Seconds);
        Assert.Equal("QUEUE_FULL", fault.GetRpcStatus()!.GetDetail<ErrorInfo>()!.Reason);
        hold.Release(1000);
        Assert.Equal(["abc", "abc"], [(await running).Choices[0].Text, (await queued).Choices[0].Text]);
    }

    [Fact]
    public async Task A_fault_of_the_server_names_the_request_and_nothing_else()
    {
        var executor = Scripts.Saying("abc");
        executor.BeforeStep = _ => throw new InvalidOperationException("out of memory at 0xSECRET");
        await using var server = await ServerFixture.StartAsync(executor);
        var call = server.Inference.GenerateAsync(Request(), cancellationToken: Stop);
        var fault = await Assert.ThrowsAsync<RpcException>(async () => await call);
        Assert.Equal(StatusCode.Internal, fault.StatusCode);
        Assert.DoesNotContain("SECRET", fault.ToString(), StringComparison.Ordinal);
        var id = fault.GetRpcStatus()!.GetDetail<RequestInfo>()!.RequestId;
        Assert.Equal((await call.ResponseHeadersAsync).GetValue("x-request-id") ?? fault.Trailers.GetValue("x-request-id"), id);
        executor.BeforeStep = null;
        Assert.Equal("abc", (await server.Inference.GenerateAsync(Request(), cancellationToken: Stop)).Choices[0].Text);
    }

    [Fact]
    public async Task A_message_over_the_limit_is_refused()
    {
        await using var server = await ServerFixture.StartAsync();
        var fault = await FaultAsync(server, Request(r => r.Prompt.Text = new string('a', (4 << 20) + 1)));
        Assert.Equal(StatusCode.ResourceExhausted, fault.StatusCode);
        // Just below the limit the message is read: what refuses it is the context's length.
        var read = await FaultAsync(server, Request(r => r.Prompt.Text = new string('a', (4 << 20) - 100)));
        Assert.Equal(StatusCode.InvalidArgument, read.StatusCode);
    }

    private static async Task<RpcException> FaultAsync(ServerFixture server, GenerateRequest request) =>
        await Assert.ThrowsAsync<RpcException>(async () => await server.Inference.GenerateAsync(request, cancellationToken: Stop));

    private static async Task<RpcException> FaultAsync(ServerFixture server, GenerateStreamRequest request)
    {
        using var call = server.Inference.GenerateStream(request, cancellationToken: Stop);
        return await Assert.ThrowsAsync<RpcException>(async () => await call.ResponseStream.MoveNext(Stop));
    }
}
