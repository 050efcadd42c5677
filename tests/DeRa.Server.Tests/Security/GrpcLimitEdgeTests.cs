using DeRa.Protos.V1;
using DeRa.Server.Options;
using DeRa.Testing;
using Google.Rpc;
using Grpc.Core;
using Xunit;

namespace DeRa.Server.Tests.Security;

/// <summary>The limits of a request's content over gRPC: as set by their options, on the edge and one past it.</summary>
public class GrpcLimitEdgeTests
{
    private static readonly CancellationToken Stop = TestContext.Current.CancellationToken;

    private sealed record Edge(ServerOptions Options, string Field, Action<GenerationOptions, int> Set, int Last);

    private static ServerOptions Default => new();

    private static readonly Dictionary<string, Edge> Edges = new()
    {
        ["n"] = new(Default with { Limits = Default.Limits with { MaxChoices = 5 } }, "n", (options, count) => options.N = count, 5),
        ["n by default"] = new(Default, "n", (options, count) => options.N = count, 128),
        ["best_of"] = new(Default with { Limits = Default.Limits with { MaxBestOf = 3 } }, "best_of", (options, count) =>
            options.BestOf = count, 3),
        ["best_of by default"] = new(Default, "best_of", (options, count) => options.BestOf = count, 20),
        ["stop strings"] = new(Default with { Limits = Default.Limits with { MaxStopStrings = 2 } }, "stop",
            (options, count) => options.Stop.AddRange(Enumerable.Repeat("x", count)), 2),
        ["stop strings by default"] = new(Default, "stop", (options, count) => options.Stop.AddRange(Enumerable.Repeat("x", count)), 16),
        ["bytes of a stop string"] = new(Default with { Limits = Default.Limits with { MaxStopStringBytes = 5 } }, "stop",
            (options, bytes) => options.Stop.Add(Bytes(bytes)), 5),
        ["bytes of a stop string by default"] = new(Default, "stop", (options, bytes) => options.Stop.Add(Bytes(bytes)), 256),
        ["entries of logit_bias"] = new(Default with { Limits = Default.Limits with { MaxLogitBiasEntries = 2 } }, "logit_bias", Bias, 2),
        ["entries of logit_bias by default"] = new(Default, "logit_bias", Bias, 1024),
        ["value of logit_bias"] = new(Default, "logit_bias[7]", (options, value) => options.LogitBias[7] = value / 100f, 100_00),
        ["lowest value of logit_bias"] = new(Default, "logit_bias[7]", (options, value) => options.LogitBias[7] = value / -100f, 100_00),
        ["allowed tokens"] = new(Default with { Limits = Default.Limits with { MaxAllowedTokens = 3 } }, "allowed_token_ids",
            (options, count) => options.AllowedTokenIds.AddRange(Enumerable.Repeat(ByteTokenizer.Eos, count)), 3),
        ["stop tokens"] = new(Default with { Limits = Default.Limits with { MaxStopTokens = 2 } }, "stop_token_ids",
            (options, count) => options.StopTokenIds.AddRange(Enumerable.Repeat(1, count)), 2),
        ["bad words"] = new(Default with { Limits = Default.Limits with { MaxBadWords = 2 } }, "bad_words",
            (options, count) => options.BadWords.AddRange(Enumerable.Repeat("x", count)), 2),
        ["logprobs"] = new(Default with { Limits = Default.Limits with { MaxLogprobs = 3 } }, "logprobs", (options, count) =>
            options.Logprobs = count, 3),
        ["logprobs by default"] = new(Default, "logprobs", (options, count) => options.Logprobs = count, 20),
        ["prompt_logprobs by default"] = new(Default, "prompt_logprobs", (options, count) => options.PromptLogprobs = count, 20),
        ["strength"] = new(Default with { Limits = Default.Limits with { MaxStrength = 2.5 } }, "alignment_strength",
            (options, value) => options.AlignmentStrength = value / 100.0, 2_50),
        ["strength by default"] = new(Default, "alignment_strength", (options, value) => options.AlignmentStrength = value / 100.0, 10_00),
        ["lowest strength"] = new(Default with { Limits = Default.Limits with { MinStrength = -0.5 } }, "alignment_strength",
            (options, value) => options.AlignmentStrength = value / -100.0, 50),
        ["lowest strength by default"] = new(Default, "alignment_strength",
            (options, value) => options.AlignmentStrength = value / -100.0, 1_00),
        ["temperature"] = new(Default, "temperature", (options, value) => options.Temperature = value / 100.0, 2_00),
        ["lowest temperature"] = new(Default, "temperature", (options, value) => options.Temperature = value == 1 ? 0.01 : 0.0099, 1),
        // 254 and the prompt's two are the context of 256.
        ["context"] = new(Default, "max_tokens", (options, count) => options.MaxTokens = count, 254),
        // 16 × 256 are the cache's 512 blocks of 8.
        ["cache"] = new(Default, "n", (options, count) => (options.N, options.MaxTokens) = (count, 254), 16),
        ["queue of sequences"] = new(Default with { Engine = Default.Engine with { MaxQueued = 3 } }, "n", (options, count) =>
            options.N = count, 3),
        ["queue of tokens"] = new(Default with { Engine = Default.Engine with { MaxQueuedTokens = 11 } }, "n", (options, count) =>
            options.N = count, 5),
    };

    public static TheoryData<string> Names => [.. Edges.Keys];

    [Theory]
    [MemberData(nameof(Names))]
    public async Task On_the_edge_a_call_is_served_and_one_past_it_refused(string name)
    {
        var edge = Edges[name];
        var executor = new ScriptedExecutor(vocabularySize: 2000) { Script = _ => ByteTokenizer.Eos };
        await using var server = await SecuredServer.StartAsync(edge.Options, executor);
        Assert.NotEmpty((await server.Inference.GenerateAsync(Request(edge, edge.Last), cancellationToken: Stop)).Choices);
        var fault = await Assert.ThrowsAsync<RpcException>(
            async () => await server.Inference.GenerateAsync(Request(edge, edge.Last + 1), cancellationToken: Stop));
        Assert.Equal(StatusCode.InvalidArgument, fault.StatusCode);
        Assert.Equal("options." + edge.Field, Assert.Single(fault.GetRpcStatus()!.GetDetail<BadRequest>()!.FieldViolations).Field);
        Assert.Equal(0, server.Engine.Status.BlocksInUse);
    }

    private static GenerateRequest Request(Edge edge, int value)
    {
        var options = new GenerationOptions { MaxTokens = 1 };
        edge.Set(options, value);
        return new GenerateRequest { Prompt = new Prompt { Text = "a" }, Options = options };
    }

    private static string Bytes(int bytes) => "é" + new string('x', bytes - 2);

    private static void Bias(GenerationOptions options, int entries)
    {
        for (var token = 0; token < entries; token++) options.LogitBias[token] = 1;
    }
}
