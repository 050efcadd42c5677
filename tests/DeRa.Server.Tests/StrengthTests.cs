using DeRa.Engine.Requests;
using DeRa.Engine.Scheduling;
using DeRa.Protos.V1;
using DeRa.Testing;
using Xunit;

namespace DeRa.Server.Tests;

/// <summary>Strengths of several aligned models, and models by name, over both transports.</summary>
public class StrengthTests
{
    [Theory]
    [InlineData("\"alignment_strengths\":{\"helpful\":0.6,\"concise\":0.4}", .6, .4, null, "{\"helpful\":0.6,\"concise\":0.4}")]
    [InlineData("\"alignment_strengths\":{\"helpful\":2}", 2, 0, 2.0, "{\"helpful\":2,\"concise\":0}")]
    [InlineData("\"alignment_strengths\":null", 1, 0, 1.0, "{\"helpful\":1,\"concise\":0}")]
    [InlineData("\"model\":\"pair-concise\"", 0, 1, null, "{\"helpful\":0,\"concise\":1}")]
    [InlineData("\"model\":\"pair@0.25\"", .25, 0, .25, "{\"helpful\":0.25,\"concise\":0}")]
    [InlineData("\"model\":\"pair-reference\"", 0, 0, 0.0, "{\"helpful\":0,\"concise\":0}")]
    public async Task Http_takes_and_reports_strengths(string field, double helpful, double concise, double? number, string named)
    {
        AlignmentStrengths? ran = null;
        var executor = Scripts.Saying("hello", models: 3);
        executor.BeforeStep = plan => ran ??= plan.Find(readout => readout.Sampling is not null)?.Strengths;
        await using var server = await ServerFixture.StartAsync(executor, new() { Speculation = Speculation.Off },
            aligned: ["helpful", "concise"]);
        foreach (var stream in new[] { "false", "true" })
        {
            var reply = await server.CompleteAsync($$"""{"prompt":"a",{{field}},"stream":{{stream}}}""");
            Assert.Equal(200, reply.Status);
            Assert.Equal(new AlignmentStrengths(helpful, concise), ran);
            foreach (var json in stream == "true" ? reply.Events() : [reply.Json])
            {
                Assert.Equal(number, json.TryGetProperty("alignment_strength", out var one) ? one.GetDouble() : null);
                Assert.Equal(named, json.GetProperty("alignment_strengths").GetRawText());
                Assert.Equal(field.Contains("model", StringComparison.Ordinal) ? field.Split('"')[3] : "pair", json.GetProperty("model")
                    .GetString());
            }
        }
    }

    [Fact]
    public async Task Grpc_takes_and_reports_strengths()
    {
        await using var server = await ServerFixture.StartAsync(Scripts.Saying("hello", models: 3), aligned: ["helpful", "concise"]);
        var options = new GenerationOptions { MaxTokens = 3, AlignmentStrengths = { ["helpful"] = .6, ["concise"] = .4 } };
        var prompt = new Prompt { Text = "a" };
        var whole = await server.Inference.GenerateAsync(new GenerateRequest { Prompt = prompt, Options = options },
            cancellationToken: ServerFixture.Stop);
        Assert.Equal((.6, .4, false),
            (whole.AlignmentStrengths["helpful"], whole.AlignmentStrengths["concise"], whole.HasAlignmentStrength));
        using var call = server.Inference.GenerateStream(
            new GenerateStreamRequest { Prompt = prompt, Model = "pair@0.5" }, cancellationToken: ServerFixture.Stop);
        Assert.True(await call.ResponseStream.MoveNext(ServerFixture.Stop));
        var started = call.ResponseStream.Current.Started;
        Assert.Equal((.5, .5, 0, "pair@0.5"),
            (started.AlignmentStrength, started.AlignmentStrengths["helpful"], started.AlignmentStrengths["concise"], started.Model));
    }

    [Fact]
    public async Task A_pair_of_one_aligned_model_reports_one_number()
    {
        await using var server = await ServerFixture.StartAsync(Scripts.Saying("hello"));
        var reply = await server.CompleteAsync("""{"prompt":"a","model":"pair-reference"}""");
        Assert.Equal(0, reply.Json.GetProperty("alignment_strength").GetDouble());
        Assert.False(reply.Json.TryGetProperty("alignment_strengths", out _));
    }
}
