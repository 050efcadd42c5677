using DeRa.Protos.V1;
using DeRa.Testing;
using Grpc.Core;
using Xunit;

namespace DeRa.Server.Tests.Grpc;

/// <summary>The options that both doors have do the same over either.</summary>
public class GrpcFieldTests
{
    private static readonly Dictionary<string, (string Json, GenerationOptions Options)> Same = new()
    {
        ["masks"] = ("\"allowed_token_ids\":[97,98,99,257],\"bad_words\":[\"ab\"],\"min_tokens\":9", new()
        {
            AllowedTokenIds = { 97, 98, 99, 257 },
            BadWords = { "ab" },
            MinTokens = 9,
        }),
        ["typical"] = ("\"typical_p\":0.3", new() { TypicalP = 0.3 }),
        ["stop"] = ("\"stop_token_ids\":[98,101],\"include_stop_str_in_output\":true,\"logit_bias\":{\"98\":3}", new()
        {
            StopTokenIds = { 98, 101 },
            IncludeStop = true,
            LogitBias = { [98] = 3 },
        }),
        ["best"] = ("\"best_of\":4,\"n\":2,\"priority\":3,\"cache_salt\":\"x\"", new() { BestOf = 4, N = 2, Priority = 3, CacheSalt = "x" }),
        ["prompt"] = ("\"truncate_prompt_tokens\":2,\"add_special_tokens\":false,\"skip_special_tokens\":false", new()
        {
            TruncatePromptTokens = 2,
            AddSpecialTokens = false,
            SkipSpecialTokens = false,
        }),
    };

    public static TheoryData<string> Names => [.. Same.Keys];

    [Theory]
    [MemberData(nameof(Names))]
    public async Task Both_doors_give_the_same_tokens(string name)
    {
        var (json, options) = Same[name];
        await using var server = await ServerFixture.StartAsync();
        options.Seed = 3;
        options.MaxTokens = 16;
        var grpc = await server.Inference.GenerateAsync(
            new GenerateRequest { Prompt = new Prompt { Text = "tell" }, Options = options }, cancellationToken: ServerFixture.Stop);
        var http = await server.CompleteAsync("{\"prompt\":\"tell\",\"seed\":3,\"max_tokens\":16,\"return_token_ids\":true," + json + "}");
        for (var i = 0; i < grpc.Choices.Count; i++)
            Assert.Equal($"[{string.Join(',', grpc.Choices[i].Tokens.Select(token => token.Id))}]", http.Choice(i).GetProperty("token_ids").GetRawText());
        Assert.Equal(http.Json.GetProperty("choices").GetArrayLength(), grpc.Choices.Count);
        Assert.Equal(http.Json.GetProperty("usage").GetProperty("completion_tokens").GetInt32(), grpc.Usage.CompletionTokens);
        Assert.All(grpc.Choices, choice => Assert.All(choice.Tokens, token => Assert.False(token.HasLogprob)));
    }

    [Fact]
    public async Task A_prompt_s_log_probabilities_come_with_each_choice()
    {
        await using var server = await ServerFixture.StartAsync();
        var options = new GenerationOptions { PromptLogprobs = 2, MaxTokens = 1 };
        var reply = await server.Inference.GenerateAsync(
            new GenerateRequest { Prompt = new Prompt { Text = "ab" }, Options = options }, cancellationToken: ServerFixture.Stop);
        var tokens = reply.Choices[0].PromptTokens;
        Assert.Equal([ByteTokenizer.Bos, 'a', 'b'], tokens.Select(token => token.Id));
        Assert.Equal([false, true, true], tokens.Select(token => token.HasLogprob));
        Assert.Equal([0, 2, 2], tokens.Select(token => token.Alternatives.Count));
    }

    [Fact]
    public async Task Neither_candidates_nor_a_prompt_s_log_probabilities_are_streamed()
    {
        await using var server = await ServerFixture.StartAsync();
        foreach (var options in (GenerationOptions[])[new() { BestOf = 2 }, new() { PromptLogprobs = 0 }])
        {
            using var call = server.Inference.GenerateStream(
                new GenerateStreamRequest { Prompt = new Prompt { Text = "a" }, Options = options }, cancellationToken: ServerFixture.Stop);
            var error = await Assert.ThrowsAsync<RpcException>(() => call.ResponseStream.MoveNext(ServerFixture.Stop));
            Assert.Equal(StatusCode.InvalidArgument, error.StatusCode);
        }
    }
}
