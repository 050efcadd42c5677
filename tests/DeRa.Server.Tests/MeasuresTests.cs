using System.Text.Json;
using DeRa.Engine.Scheduling;
using DeRa.Protos.V1;
using DeRa.Server.Tests.Http;
using DeRa.Testing;
using Grpc.Core;
using Xunit;

namespace DeRa.Server.Tests;

/// <summary>Measures over HTTP: one value for each token that a client sees, and their sums.</summary>
public sealed class MeasuresTests
{
    private const string Completions = "/v1/completions", Chats = "/v1/chat/completions";
    private const string Text = "\"prompt\":\"hello\"", Chat = "\"messages\":[{\"role\":\"user\",\"content\":\"hello\"}]";

    private const string Top = "\"measures\":{\"top\":1}";

    private static readonly string Letters = $"\"allowed_token_ids\":[{string.Join(',', Enumerable.Range('a', 26))}]";

    public static TheoryData<string, string, string> Requests()
    {
        var data = new TheoryData<string, string, string>();
        string[] fields =
        [
            "\"lambda\":0", "\"lambda\":1", "\"lambda\":0.5,\"n\":3", "\"lambda\":2,\"stop\":[\"b\",\"xyz\"]",
            "\"alignment_sweep\":[0,0.5,1]", "\"alignment_schedule\":[[0,0],[3,1],[6,0.5]]", "\"lambda\":0.5,\"speculation\":false",
            "\"lambda\":0.5,\"stop_token_ids\":[98,99,100]", $"{Letters},\"lambda\":-0.5,\"temperature\":0",
        ];
        foreach (var more in fields)
        {
            data.Add(Completions, Text, more);
            data.Add(Chats, Chat, more);
        }
        data.Add(Completions, Text, "\"echo\":true");
        data.Add(Completions, Text, "\"n\":2,\"best_of\":5");
        data.Add(Completions, "\"prompt\":[\"one\",\"hello\"]", "\"n\":2");
        return data;
    }

    [Theory, MemberData(nameof(Requests))]
    public async Task Each_token_has_its_own_and_measures_change_none(string path, string subject, string fields)
    {
        await using var server = await ServerFixture.StartAsync(engine: new() { Speculation = Speculation.On });
        string Body(string more) => $$"""{{{subject}},"seed":3,"max_tokens":12,"return_token_ids":true,{{fields}}{{more}}}""";
        var plain = await server.PostAsync(path, Body(""));
        var whole = await server.PostAsync(path, Body(",\"measures\":{\"top\":2}"));
        Assert.Equal((200, 200), (plain.Status, whole.Status));
        var choices = whole.Json.GetProperty("choices").EnumerateArray().ToArray();
        Assert.All(plain.Json.GetProperty("choices").EnumerateArray().Zip(choices), pair =>
        {
            Assert.False(pair.First.TryGetProperty("measures", out _));
            Assert.Equal(Ids(pair.First), Ids(pair.Second));
        });
        foreach (var (index, choice) in choices.Index()) Check(server, whole, index, choice);
        if (!fields.Contains("best_of", StringComparison.Ordinal)) await CheckStreamAsync(server, path, Body, choices);
    }

    /// <summary>Chunk by chunk the measures are those of the chunk's tokens, and together those of the whole response.</summary>
    private static async Task CheckStreamAsync(ServerFixture server, string path, Func<string, string> body, JsonElement[] choices)
    {
        var chunks = (await server.PostAsync(path, body(",\"measures\":{\"top\":2},\"stream\":true"))).Events()
            .SelectMany(happened => happened.GetProperty("choices").EnumerateArray())
            .Where(choice => choice.TryGetProperty("measures", out _))
            .GroupBy(choice => choice.GetProperty("index").GetInt32()).ToDictionary(group => group.Key, group => group.ToArray());
        foreach (var (index, choice) in choices.Index())
        {
            var measures = choice.GetProperty("measures");
            foreach (var chunk in chunks[index].Where(chunk => chunk.TryGetProperty("token_ids", out _)))
                Assert.Equal(Ids(chunk), Ids(Tokens(chunk)));
            Assert.Equal(Tokens(choice).Select(token => token.GetRawText()),
                chunks[index].SelectMany(Tokens).Select(token => token.GetRawText()));
            var ends = chunks[index].Where(chunk => chunk.GetProperty("measures").TryGetProperty("log_weight", out _)).ToArray();
            Assert.Equal(JsonValueKind.String, Assert.Single(ends).GetProperty("finish_reason").ValueKind);
            static IEnumerable<string> Sums(JsonElement measures) =>
                measures.EnumerateObject().Where(sum => sum.Name != "tokens").Select(sum => $"{sum}");
            Assert.Equal(Sums(measures), Sums(ends[0].GetProperty("measures")));
        }
        await ServerFixture.EventuallyAsync(() => server.Engine.Status.BlocksInUse == 0);
    }

    /// <summary>The values, against the executor's own logits; the sums, against the values.</summary>
    private static void Check(ServerFixture server, Reply reply, int index, JsonElement choice)
    {
        var (tokens, ids) = (Tokens(choice).ToArray(), Ids(choice));
        Assert.Equal(ids, Ids(tokens));
        int[] prompt = choice.TryGetProperty("prompt_token_ids", out var own) || reply.Json.TryGetProperty("prompt_token_ids", out own)
            ? [.. own.EnumerateArray().Select(id => id.GetInt32())] : throw new InvalidOperationException($"choice {index} has no prompt");
        for (var i = 0; i < ids.Length; i++)
        {
            int[] before = [.. prompt, .. ids[..i]];
            var (reference, aligned) = (ReferenceSampler.LogProbs(server.Executor.MixedLogits(before, 0)),
                ReferenceSampler.LogProbs(server.Executor.MixedLogits(before, 1)));
            Assert.Equal(reference[ids[i]], Number(tokens[i], "logprob_reference"), 1e-5);
            Assert.Equal(aligned[ids[i]], Number(tokens[i], "logprob_aligned"), 1e-5);
            Assert.Equal(aligned[ids[i]] - reference[ids[i]], Number(tokens[i], "implicit_reward"), 1e-5);
            Assert.All((string[])["top_reference", "top_mixture", "top_aligned"], top =>
                Assert.Equal(2, tokens[i].GetProperty(top).GetArrayLength()));
            Assert.Equal(reference.Max(), Number(tokens[i].GetProperty("top_reference")[0], "logprob"), 1e-5);
            Assert.Equal(aligned.Max(), Number(tokens[i].GetProperty("top_aligned")[0], "logprob"), 1e-5);
        }
        var measures = choice.GetProperty("measures");
        foreach (var name in (string[])["logprob", "logprob_reference", "logprob_aligned", "kl_to_aligned", "implicit_reward", "log_z"])
            Assert.Equal(tokens.Sum(token => Number(token, name)), Number(measures, name), 1e-9);
        Assert.Equal(tokens.Sum(token => Number(token, "kl_to_reference")), Number(measures, "kl_sequence"), 1e-9);
    }

    [Fact]
    public async Task A_token_s_numbers_are_those_of_the_mixture()
    {
        await using var server = await ServerFixture.StartAsync();
        foreach (var strength in (double[])[-.5, 0, .3, 1, 2.5])
        {
            var reply = await server.CompleteAsync(FormattableString.Invariant(
                $$"""{{{Text}},"seed":3,"max_tokens":6,"return_token_ids":true,"logprobs":0,"lambda":{{strength}},"measures":true}"""));
            var (choice, logProbs) = (reply.Choice(), reply.Choice().GetProperty("logprobs").GetProperty("token_logprobs"));
            int[] before = [.. choice.GetProperty("prompt_token_ids").EnumerateArray().Select(id => id.GetInt32())];
            foreach (var (i, token) in Tokens(choice).Index())
            {
                var (reference, aligned, mixture) = (ReferenceSampler.LogProbs(server.Executor.MixedLogits(before, 0)),
                    ReferenceSampler.LogProbs(server.Executor.MixedLogits(before, 1)),
                    ReferenceSampler.LogProbs(server.Executor.MixedLogits(before, strength)));
                var logZ = Math.Log(reference.Zip(aligned, (r, a) => Math.Exp((1 - strength) * r + strength * a)).Sum());
                Assert.Equal(logProbs[i].GetDouble(), Number(token, "logprob"), 1e-5);
                Assert.Equal(mixture.Zip(reference, (p, q) => Math.Exp(p) * (p - q)).Sum(), Number(token, "kl_to_reference"), 1e-4);
                Assert.Equal(mixture.Zip(aligned, (p, q) => Math.Exp(p) * (p - q)).Sum(), Number(token, "kl_to_aligned"), 1e-4);
                Assert.Equal(logZ, Number(token, "log_z"), 1e-4);
                Assert.Equal((1 - strength) * Number(token, "logprob_reference") + strength * Number(token, "logprob_aligned"),
                    Number(token, "logprob") + Number(token, "log_z"), 1e-4);
                Assert.False(token.TryGetProperty("top_mixture", out _));
                before = [.. before, token.GetProperty("id").GetInt32()];
            }
        }
    }

    [Theory]
    [InlineData("", null)]
    [InlineData("\"lambda\":0.5,\"top_p\":1,\"top_k\":-1,\"logit_bias\":{},\"stop\":[\"z\"],\"stop_token_ids\":[120]", null)]
    [InlineData("\"temperature\":0", "temperature"), InlineData("\"temperature\":0.9,\"top_p\":0.5", "temperature")]
    [InlineData("\"top_k\":5", "top_k"), InlineData("\"top_p\":0.5", "top_p"), InlineData("\"min_p\":0.1", "min_p")]
    [InlineData("\"typical_p\":0.5", "typical_p"), InlineData("\"repetition_penalty\":1.1", "repetition_penalty")]
    [InlineData("\"frequency_penalty\":0.1", "frequency_penalty"), InlineData("\"presence_penalty\":0.1", "presence_penalty")]
    [InlineData("\"logit_bias\":{\"7\":1}", "logit_bias"), InlineData("\"allowed_token_ids\":[104,105,257]", "allowed_token_ids")]
    [InlineData("\"bad_words\":[\"q\"]", "bad_words"), InlineData("\"min_tokens\":1", "min_tokens")]
    [InlineData("\"ignore_eos\":true,\"max_tokens\":5", "ignore_eos"), InlineData("\"n\":1,\"best_of\":2", "best_of")]
    [InlineData("\"alignment_schedule\":[[0,1],[2,0.5]]", "alignment_schedule")]
    [InlineData("\"max_tokens\":2", "length"), InlineData("\"stop\":\"i\"", "stop")]
    [InlineData("\"stop_token_ids\":[105]", "stop_token_ids")]
    public async Task A_sequence_has_a_weight_where_the_mixture_drew_all_of_it(string fields, string? reason)
    {
        await using var server = await ServerFixture.StartAsync(Scripts.Saying("hi!"));
        var reply = await server.CompleteAsync($$"""{{{Text}},"measures":true{{(fields.Length > 0 ? "," : "")}}{{fields}}}""");
        Assert.Equal(200, reply.Status);
        var measures = reply.Choice().GetProperty("measures");
        Assert.Equal(reason, measures.TryGetProperty("log_weight_undefined", out var why) ? why.GetString() : null);
        if (reason is null) Assert.Equal(Number(measures, "log_z"), Number(measures, "log_weight"));
        else Assert.Equal(JsonValueKind.Null, measures.GetProperty("log_weight").ValueKind);
    }

    [Fact]
    public async Task A_change_in_mid_stream_loses_no_token_and_leaves_no_weight()
    {
        // Far more than are written, one an event, until the change has come in.
        const int most = 2000;
        using var hold = new SemaphoreSlim(4);
        var executor = Scripts.Endless();
        executor.BeforeStep = _ => hold.Wait(executor.TestOver);
        await using var server = await ServerFixture.StartAsync(executor, new() { Speculation = Speculation.Off });
        using var stream = await OpenStream.StartAsync(server,
            $$"""{{{Text}},"seed":5,"max_tokens":{{most}},"lambda":0.5,"stream":true,"return_token_ids":true,"measures":true}""");
        var (tokens, measured, change, sums) = (new List<int>(), new List<int>(), (Task<Reply>?)null, default(JsonElement));
        while (await stream.NextAsync() is { } happened)
        {
            var choice = happened.GetProperty("choices")[0];
            tokens.AddRange(Ids(choice));
            measured.AddRange(Ids(Tokens(choice)));
            sums = choice.GetProperty("measures").Clone();
            change ??= server.PostAsync($"/v1/realignment/generations/{stream.Id}", """{"alignment_strength":1}""");
            hold.Release(change.IsCompleted ? most : 1);
        }
        Assert.Equal(most, tokens.Count);
        Assert.Equal(tokens, measured);
        Assert.NotNull((await change!).Json.GetProperty("choices")[0].GetProperty("from_token").GetRawText());
        Assert.Equal("alignment_strength", sums.GetProperty("log_weight_undefined").GetString());
    }

    [Fact]
    public async Task Several_aligned_models_have_values_by_name_and_beta_scales_rewards()
    {
        var runners = Enumerable.Range(0, 3).Select(model => new RunnerLimits([model], "cpu")).ToArray();
        await using var server = await ServerFixture.StartAsync(new ScriptedExecutor(runners: runners), aligned: ["one", "two"], beta: 0.1);
        var reply = await server.CompleteAsync(
            $$"""{{{Text}},"seed":3,"max_tokens":4,"alignment_strengths":{"one":0.5},{{Top}}}""");
        foreach (var token in Tokens(reply.Choice()))
        {
            foreach (var name in (string[])["one", "two"])
                Assert.Equal(0.1 * (Number(token.GetProperty("logprobs_aligned"), name) - Number(token, "logprob_reference")),
                    Number(token.GetProperty("implicit_rewards"), name), 1e-9);
            Assert.Equal(["one", "two"], token.GetProperty("tops_aligned").EnumerateObject().Select(own => own.Name));
            Assert.False(token.TryGetProperty("logprob_aligned", out _));
        }
        Assert.Equal(4, Tokens(reply.Choice()).Count());
    }

    [Theory]
    [InlineData(Completions, Text), InlineData(Chats, Chat)]
    public async Task What_is_no_measures_is_refused(string path, string subject)
    {
        await using var server = await ServerFixture.StartAsync();
        (string Value, string Param, string Message)[] cases =
        [
            ("1", "measures", "must be true, false or an object with 'top'"),
            ("{\"top\":21}", "measures.top", "'measures.top' is 21; it must be between 0 and 20"),
            ("{\"top\":-1}", "measures.top", "between 0 and 20"),
            ("{\"top\":true}", "measures.top", "must be a whole number from 0 to 20"),
            ("{\"best\":1}", "measures.best", "is not a field; 'measures' has 'top'"),
        ];
        foreach (var (value, param, message) in cases)
        {
            var reply = await server.PostAsync(path, $$"""{{{subject}},"measures":{{value}}}""");
            Assert.Equal((400, param), (reply.Status, reply.Param));
            Assert.Contains(message, reply.Error.GetProperty("message").GetString(), StringComparison.Ordinal);
        }
        foreach (var none in (string[])["false", "null"])
            Assert.False((await server.PostAsync(path, $$"""{{{subject}},"max_tokens":2,"measures":{{none}}}""")).Choice()
                .TryGetProperty("measures", out _));
    }

    [Fact]
    public async Task GRPC_says_what_HTTP_says_whole_and_streamed()
    {
        await using var server = await ServerFixture.StartAsync(beta: 2);
        var http = (await server.CompleteAsync(
            $$"""{{{Text}},"seed":3,"max_tokens":9,"lambda":0.5,{{Top}}}""")).Choice();
        var options = new GenerationOptions { Seed = 3, MaxTokens = 9, AlignmentStrength = .5, Measures = new() { Top = 1 } };
        var prompt = new Prompt { Text = "hello" };
        var whole = (await server.Inference.GenerateAsync(
            new GenerateRequest { Prompt = prompt, Options = options }, cancellationToken: ServerFixture.Stop)).Choices[0];
        var (tokens, end) = (new List<Token>(), (Finished?)null);
        using var call = server.Inference.GenerateStream(
            new GenerateStreamRequest { Prompt = prompt, Options = options }, cancellationToken: ServerFixture.Stop);
        await foreach (var happened in call.ResponseStream.ReadAllAsync(ServerFixture.Stop))
        {
            if (happened.Delta is { } delta) tokens.AddRange(delta.Tokens);
            end ??= happened.Finished;
        }
        Assert.Equal(whole.Tokens, tokens);
        Assert.Equal(whole.Measures, end!.Measures);
        Assert.False(whole.Measures.HasLogWeight);
        Assert.Equal("length", whole.Measures.LogWeightUndefined);
        foreach (var (own, other) in whole.Tokens.Zip(Tokens(http)))
        {
            Assert.Equal(own.Id, other.GetProperty("id").GetInt32());
            Assert.Equal(own.Measures.Logprob, Number(other, "logprob"));
            Assert.Equal(own.Measures.LogprobReference, Number(other, "logprob_reference"));
            Assert.Equal(own.Measures.LogprobAligned["aligned"], Number(other, "logprob_aligned"));
            Assert.Equal(own.Measures.KlToReference, Number(other, "kl_to_reference"));
            Assert.Equal(own.Measures.KlToAligned["aligned"], Number(other, "kl_to_aligned"));
            Assert.Equal(own.Measures.ImplicitReward["aligned"], Number(other, "implicit_reward"));
            Assert.Equal(own.Measures.LogZ, Number(other, "log_z"));
            Assert.Equal(own.Measures.TopAligned["aligned"].Tokens[0].Id, other.GetProperty("top_aligned")[0].GetProperty("id").GetInt32());
        }
        Assert.Equal(whole.Measures.KlSequence, Number(http.GetProperty("measures"), "kl_sequence"));
        Assert.Equal(whole.Measures.ImplicitReward["aligned"], Number(http.GetProperty("measures"), "implicit_reward"));
        var refused = await Assert.ThrowsAsync<RpcException>(async () => await server.Inference.GenerateAsync(new GenerateRequest
        {
            Prompt = prompt,
            Options = new GenerationOptions { Measures = new() { Top = 21 } },
        }, cancellationToken: ServerFixture.Stop));
        Assert.Equal(StatusCode.InvalidArgument, refused.StatusCode);
        Assert.Contains("'measures.top' is 21", refused.Status.Detail, StringComparison.Ordinal);
    }

    private static IEnumerable<JsonElement> Tokens(JsonElement choice) =>
        choice.GetProperty("measures").GetProperty("tokens").EnumerateArray();

    private static int[] Ids(JsonElement choice) =>
        choice.TryGetProperty("token_ids", out var ids) ? [.. ids.EnumerateArray().Select(id => id.GetInt32())] : [];

    private static int[] Ids(IEnumerable<JsonElement> tokens) => [.. tokens.Select(token => token.GetProperty("id").GetInt32())];

    private static double Number(JsonElement holder, string name) => holder.GetProperty(name).GetDouble();
}
