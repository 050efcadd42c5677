using DeRa.Protos.V1;
using DeRa.Testing;
using Grpc.Core;
using Xunit;

namespace DeRa.Server.Tests.Grpc;

/// <summary>What a call reports of prompts that were read before. A block has eight tokens, a letter is one.</summary>
public class PrefixCacheTests
{
    private const string Letters = "abcdefghijklmnopqrstuvwxyz, and so on to an end";
    private static readonly CancellationToken Stop = TestContext.Current.CancellationToken;

    private static readonly Prompt Prompt = new() { Text = Letters };

    private static readonly Conversation Conversation = new()
    {
        Messages = { new ChatMessage { Role = Role.User, Content = Letters } },
    };

    private static GenerationOptions Options(string? salt = null)
    {
        var options = new GenerationOptions { MaxTokens = 4, AlignmentStrength = 0.5 };
        if (salt is not null) options.CacheSalt = salt;
        return options;
    }

    private static async Task<Usage> GenerateAsync(ServerFixture server, string? key = null, string? salt = null) =>
        (await server.Inference.GenerateAsync(new GenerateRequest { Prompt = Prompt, Options = Options(salt) },
            key is null ? [] : SecuredServer.Credentials(key), cancellationToken: Stop)).Usage;

    private static async Task<Usage> GenerateStreamAsync(ServerFixture server)
    {
        using var call = server.Inference.GenerateStream(
            new GenerateStreamRequest { Prompt = Prompt, Options = Options() }, cancellationToken: Stop);
        return await LastAsync(call.ResponseStream, response => response.Finished);
    }

    private static async Task<Usage> ChatAsync(ServerFixture server) => (await server.Inference.ChatAsync(
        new ChatRequest { Conversation = Conversation, Options = Options() }, cancellationToken: Stop)).Usage;

    private static async Task<Usage> ChatStreamAsync(ServerFixture server)
    {
        using var call = server.Inference.ChatStream(
            new ChatStreamRequest { Conversation = Conversation, Options = Options() }, cancellationToken: Stop);
        return await LastAsync(call.ResponseStream, response => response.Finished);
    }

    private static async Task<Usage> ConverseAsync(ServerFixture server)
    {
        using var call = server.Inference.Converse(cancellationToken: Stop);
        await call.RequestStream.WriteAsync(
            new ConverseRequest { Start = new ConverseStart { Prompt = Prompt, Options = Options() } }, Stop);
        return await LastAsync(call.ResponseStream, response => response.Finished);
    }

    private static async Task<Usage> LastAsync<T>(IAsyncStreamReader<T> events, Func<T, Finished?> finished)
    {
        Usage? last = null;
        await foreach (var happened in events.ReadAllAsync(Stop)) last = finished(happened)?.Usage ?? last;
        return last!;
    }

    /// <summary>Full blocks at least, and never the last token: its logits are wanted.</summary>
    private static void AssertFound(Usage usage) =>
        Assert.InRange(usage.CachedTokens, (usage.PromptTokens - 1) / 8 * 8, usage.PromptTokens - 1);

    public static TheoryData<string> Methods => ["Generate", "GenerateStream", "Chat", "ChatStream", "Converse"];

    [Theory]
    [MemberData(nameof(Methods))]
    public async Task The_same_prompt_again_is_found(string method)
    {
        await using var server = await ServerFixture.StartAsync();
        Func<ServerFixture, Task<Usage>> call = method switch
        {
            "Generate" => other => GenerateAsync(other),
            "GenerateStream" => GenerateStreamAsync,
            "Chat" => ChatAsync,
            "ChatStream" => ChatStreamAsync,
            _ => ConverseAsync,
        };
        Assert.Equal(0, (await call(server)).CachedTokens);
        AssertFound(await call(server));
    }

    [Fact]
    public async Task What_came_over_HTTP_is_found_over_gRPC()
    {
        await using var server = await ServerFixture.StartAsync();
        await server.CompleteAsync($$"""{"prompt":"{{Letters}}","max_tokens":4,"lambda":0.5}""");
        AssertFound(await GenerateAsync(server));
    }

    [Fact]
    public async Task Another_key_or_another_salt_finds_nothing()
    {
        using var folder = new TemporaryFolder();
        await using var server = await SecuredServer.StartAsync(SecuredServer.WithKeys(folder));
        (string Key, string? Salt)[] owners = [(SecuredServer.Key, null), (SecuredServer.OtherKey, null), (SecuredServer.Key, "one")];
        foreach (var (key, salt) in owners) Assert.Equal(0, (await GenerateAsync(server, key, salt)).CachedTokens);
        foreach (var (key, salt) in owners) AssertFound(await GenerateAsync(server, key, salt));
    }
}
