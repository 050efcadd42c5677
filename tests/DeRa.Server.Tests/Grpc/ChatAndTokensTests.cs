using DeRa.Protos.V1;
using DeRa.Testing;
using Google.Rpc;
using Grpc.Core;
using Xunit;

namespace DeRa.Server.Tests.Grpc;

public class ChatAndTokensTests
{
    private static readonly CancellationToken Stop = TestContext.Current.CancellationToken;

    private static Conversation Hello => new() { Messages = { new ChatMessage { Role = Role.User, Content = "Hi" } } };

    [Fact]
    public async Task Chat_answers_with_the_assistant_s_message()
    {
        await using var server = await ServerFixture.StartAsync(Scripts.Saying("hello"));
        var reply = await server.Inference.ChatAsync(
            new ChatRequest { Conversation = Hello, Options = new GenerationOptions { AlignmentStrength = 0.5, N = 2 } },
                cancellationToken: Stop);
        Assert.Equal(("pair", 0.5, 2), (reply.Model, reply.AlignmentStrength, reply.Choices.Count));
        Assert.All(reply.Choices, choice => Assert.Equal(
            (Role.Assistant, "hello", FinishReason.Stop), (choice.Message.Role, choice.Message.Content, choice.FinishReason)));
        var prompt = new Prompt { Messages = Hello };
        var same = await server.Inference.GenerateAsync(new GenerateRequest { Prompt = prompt }, cancellationToken: Stop);
        Assert.Equal(same.Usage.PromptTokens, reply.Usage.PromptTokens);
    }

    [Fact]
    public async Task ChatStream_starts_grows_and_finishes()
    {
        await using var server = await ServerFixture.StartAsync(Scripts.Saying("hello"));
        using var call = server.Inference.ChatStream(new ChatStreamRequest { Conversation = Hello }, cancellationToken: Stop);
        var events = await call.ResponseStream.ReadAllAsync(Stop).ToListAsync(Stop);
        Assert.NotNull(events[0].Started);
        Assert.Equal("hello", string.Concat(events.Select(happened => happened.Delta?.Text)));
        Assert.Equal(FinishReason.Stop, events[^1].Finished.FinishReason);
    }

    [Theory]
    [InlineData("no conversation", "conversation", "at least one message")]
    [InlineData("no messages", "conversation", "at least one message")]
    [InlineData("echo", "options.echo", "does not work in a chat")]
    [InlineData("parse_special", "conversation.messages", "with which 'parse_special' does not work")]
    [InlineData("strength", "options.alignment_strength", "between -1 and 10")]
    public async Task A_chat_is_checked_as_any_request(string name, string field, string message)
    {
        var request = new ChatRequest { Conversation = Hello, Options = new GenerationOptions() };
        if (name == "no conversation") request.Conversation = null;
        if (name == "no messages") request.Conversation = new Conversation();
        if (name == "echo") request.Options.Echo = true;
        if (name == "parse_special") request.Options.ParseSpecial = true;
        if (name == "strength") request.Options.AlignmentStrength = 11;
        await using var server = await ServerFixture.StartAsync();
        var fault = await Assert.ThrowsAsync<RpcException>(async () => await server.Inference.ChatAsync(request, cancellationToken: Stop));
        AssertRefused(fault, field, message);
    }

    [Fact]
    public async Task Tokens_of_a_text_are_those_that_run_and_go_back()
    {
        await using var server = await ServerFixture.StartAsync();
        var tokens =
            await server.Inference.TokenizeAsync(new TokenizeRequest { Prompt = new Prompt { Text = "hé" } }, cancellationToken: Stop);
        Assert.Equal([ByteTokenizer.Bos, 'h', 0xC3, 0xA9], tokens.TokenIds);
        Assert.Equal(256, tokens.ContextTokens);
        var text =
            await server.Inference.DetokenizeAsync(new DetokenizeRequest { TokenIds = { tokens.TokenIds } }, cancellationToken: Stop);
        Assert.Equal("<s>hé", text.Text);
        var plain = await server.Inference.DetokenizeAsync(
            new DetokenizeRequest { TokenIds = { tokens.TokenIds }, SkipSpecialTokens = true }, cancellationToken: Stop);
        Assert.Equal("hé", plain.Text);
        var spelt = await server.Inference.TokenizeAsync(new TokenizeRequest
        {
            Prompt = new Prompt { Text = "h" },
            AddSpecialTokens = false,
            ReturnTokenStrings = true,
        }, cancellationToken: Stop);
        Assert.Equal('h', Assert.Single(spelt.TokenIds));
        Assert.Equal("<0x68>", Assert.Single(spelt.TokenStrings));
        Assert.Empty(tokens.TokenStrings);
        var chat =
            await server.Inference.TokenizeAsync(new TokenizeRequest { Prompt = new Prompt { Messages = Hello } }, cancellationToken: Stop);
        Assert.True(chat.TokenIds.Count > 10);
    }

    [Fact]
    public async Task Special_tokens_are_read_in_a_text_where_asked()
    {
        await using var server = await ServerFixture.StartAsync();
        var prompt = new Prompt { Text = "<s>h</s>" };
        var tokens =
            await server.Inference.TokenizeAsync(new TokenizeRequest { Prompt = prompt, ParseSpecial = true }, cancellationToken: Stop);
        Assert.Equal([ByteTokenizer.Bos, 'h', ByteTokenizer.Eos], tokens.TokenIds);
        var run = await server.Inference.GenerateAsync(
            new GenerateRequest { Prompt = prompt, Options = new() { ParseSpecial = true, MaxTokens = 1 } }, cancellationToken: Stop);
        Assert.Equal(3, run.Usage.PromptTokens);
        AssertRefused(await Assert.ThrowsAsync<RpcException>(async () => await server.Inference.TokenizeAsync(
            new TokenizeRequest { Prompt = new Prompt { Messages = Hello }, ParseSpecial = true }, cancellationToken: Stop)),
            "prompt.messages.messages", "with which 'parse_special' does not work");
    }

    [Fact]
    public async Task Tokens_outside_the_vocabulary_and_unknown_models_are_refused()
    {
        await using var server = await ServerFixture.StartAsync();
        AssertRefused(await Assert.ThrowsAsync<RpcException>(async () => await server.Inference.DetokenizeAsync(
            new DetokenizeRequest { TokenIds = { 1, 258 } }, cancellationToken: Stop)), "token_ids[1]", "between 0 and 257");
        AssertRefused(await Assert.ThrowsAsync<RpcException>(async () => await server.Inference.TokenizeAsync(
            new TokenizeRequest(), cancellationToken: Stop)), "prompt", "missing");
        var unknown = await Assert.ThrowsAsync<RpcException>(async () => await server.Inference.TokenizeAsync(
            new TokenizeRequest { Model = "other", Prompt = new Prompt { Text = "a" } }, cancellationToken: Stop));
        Assert.Equal(StatusCode.NotFound, unknown.StatusCode);
    }

    [Fact]
    public async Task Models_and_limits_are_told()
    {
        await using var server = await ServerFixture.StartAsync(aligned: ["helpful", "concise"]);
        var models = await server.Inference.ListModelsAsync(new ListModelsRequest(), cancellationToken: Stop);
        Assert.Equal(["pair", "pair-reference", "pair-helpful", "pair-concise"], models.Models.Select(model => model.Name));
        Assert.All(models.Models, model => Assert.Equal(("pair", 256, 1_728_000_000), (model.Pair, model.ContextTokens, model.Created)));
        var info = await server.Inference.GetServerInfoAsync(new GetServerInfoRequest(), cancellationToken: Stop);
        Assert.Equal(("pair", 258, 256, 4096L), (info.Pair, info.VocabularySize, info.ContextTokens, info.CacheTokens));
        Assert.Equal(["helpful", "concise"], info.AlignedModels);
        Assert.Equal((-1.0, 10.0, 128, 16, 256, 1024, 20), (info.Limits.MinStrength, info.Limits.MaxStrength, info.Limits.MaxChoices,
            info.Limits.MaxStopStrings, info.Limits.MaxStopStringBytes, info.Limits.MaxLogitBiasEntries, info.Limits.MaxLogprobs));
        Assert.StartsWith("0.", info.Version, StringComparison.Ordinal);
    }

    private static void AssertRefused(RpcException fault, string field, string message)
    {
        Assert.Equal(StatusCode.InvalidArgument, fault.StatusCode);
        Assert.Contains(message, fault.Status.Detail, StringComparison.Ordinal);
        Assert.Equal(field, Assert.Single(fault.GetRpcStatus()!.GetDetail<BadRequest>()!.FieldViolations).Field);
    }
}
