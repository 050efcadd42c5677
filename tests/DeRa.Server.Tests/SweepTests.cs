using System.Text.Json;
using DeRa.Engine.Scheduling;
using DeRa.Protos.V1;
using DeRa.Serving.Requests;
using DeRa.Testing;
using Grpc.Core;
using Xunit;

namespace DeRa.Server.Tests;

/// <summary>One request at several strengths gives what one request for each of them gives.</summary>
public class SweepTests
{
    private const string User = "\"messages\":[{\"role\":\"user\",\"content\":\"a story\"}]";
    private const string Texts = "\"prompt\":[\"one\",\"two of them\"]";
    private static readonly string[] Strengths = ["0", "0.5", "1", "2"];

    /// <summary>Of choice after choice: its tokens with all that the response says of them, its text and its end.</summary>
    private static List<string> Choices(JsonElement answer) => [.. answer.GetProperty("choices").EnumerateArray().Select(Told)];

    private static string Told(JsonElement choice) => string.Join(';', choice.EnumerateObject()
        .Where(entry => entry.Name is not ("index" or "alignment_strength")).Select(entry => entry.Value.GetRawText()));

    private static List<double> StrengthsOf(JsonElement answer) =>
        [.. answer.GetProperty("choices").EnumerateArray().Select(choice => choice.GetProperty("alignment_strength").GetDouble())];

    /// <summary>What each choice of a stream holds in the end.</summary>
    private static string[] Streamed(Reply reply, int count)
    {
        var told = new string[count];
        foreach (var choice in reply.Events().SelectMany(happened => happened.GetProperty("choices").EnumerateArray()))
        {
            var text = choice.TryGetProperty("text", out var own) ? own.GetString()
                : choice.GetProperty("delta").TryGetProperty("content", out var content) ? content.GetString() : "";
            told[choice.GetProperty("index").GetInt32()] += text + choice.GetProperty("finish_reason").GetString();
        }
        return told;
    }

    [Theory]
    [InlineData("/v1/completions", Texts, "\"temperature\":0")]
    [InlineData("/v1/completions", Texts, "\"n\":2,\"logprobs\":2")]
    [InlineData("/v1/completions", Texts, "\"n\":2,\"best_of\":4")]
    [InlineData("/v1/completions", Texts, "\"n\":2,\"echo\":true,\"logprobs\":1,\"stop\":\"a\"")]
    [InlineData("/v1/completions", Texts, "\"prompt_logprobs\":1,\"repetition_penalty\":1.3")]
    [InlineData("/v1/chat/completions", User, "\"n\":2,\"logprobs\":true,\"top_logprobs\":2")]
    [InlineData("/v1/chat/completions", User, "\"temperature\":0")]
    public async Task Its_choices_are_those_of_one_request_for_each_strength(string path, string subject, string more)
    {
        await using var server = await ServerFixture.StartAsync();
        string Body(string strength) => $$"""{{{subject}},{{more}},{{strength}},"seed":7,"max_tokens":12,"return_token_ids":true}""";
        var swept = await server.PostAsync(path, Body("\"alignment_sweep\":[0,0.5,1,2]"));
        Assert.Equal(200, swept.Status);
        var separate = new List<List<string>>();
        foreach (var strength in Strengths)
            separate.Add(Choices((await server.PostAsync(path, Body($"\"alignment_strength\":{strength}"))).Json));
        // Prompts come first, then strengths, then choices.
        var n = more.Contains("\"n\"", StringComparison.Ordinal) ? 2 : 1;
        var prompts = separate[0].Count / n;
        var expected = Enumerable.Range(0, prompts).SelectMany(p => separate.SelectMany(own => own.Skip(p * n).Take(n)));
        Assert.Equal(expected, Choices(swept.Json));
        Assert.True(Choices(swept.Json).Distinct().Count() > prompts);
        Assert.Equal(Enumerable.Range(0, prompts).SelectMany(_ => Strengths.SelectMany(strength =>
            Enumerable.Repeat(double.Parse(strength, System.Globalization.CultureInfo.InvariantCulture), n))), StrengthsOf(swept.Json));
        Assert.Equal(Enumerable.Range(0, prompts * n * 4), swept.Json.GetProperty("choices").EnumerateArray()
            .Select(choice => choice.GetProperty("index").GetInt32()));
        Assert.False(swept.Json.TryGetProperty("alignment_strength", out _));
    }

    [Theory]
    [InlineData("/v1/completions", Texts, 16)]
    [InlineData("/v1/chat/completions", User, 8)]
    public async Task Streamed_it_is_the_same(string path, string subject, int count)
    {
        await using var server = await ServerFixture.StartAsync();
        var body = $$"""{{{subject}},"alignment_sweep":[0,0.5,1,2],"n":2,"seed":7,"max_tokens":12,"stream":""";
        var whole = await server.PostAsync(path, body + "false}");
        var streamed = await server.PostAsync(path, body + "true}");
        Assert.Equal(Enumerable.Range(0, count)
            .Select(i => whole.Text(i) + whole.Choice(i).GetProperty("finish_reason").GetString()), Streamed(streamed, count));
        foreach (var choice in streamed.Events().SelectMany(happened => happened.GetProperty("choices").EnumerateArray()))
            Assert.Equal(whole.Choice(choice.GetProperty("index").GetInt32()).GetProperty("alignment_strength").GetDouble(),
                choice.GetProperty("alignment_strength").GetDouble());
    }

    [Theory]
    [InlineData("\"temperature\":0")]
    [InlineData("\"n\":2")]
    public async Task Over_real_models_it_is_the_same(string more)
    {
        await using var server = await RealPairTests.StartAsync(
            GoldenData.Committed("pair/sft"), GoldenData.Committed("pair/aligned"));
        string Body(string strength) =>
            $$"""{"prompt":"One day",{{more}},{{strength}},"seed":8,"max_tokens":24,"ignore_eos":true,"return_token_ids":true,"logprobs":1}""";
        var swept = await server.CompleteAsync(Body("\"alignment_sweep\":[0,0.5,1,2]"));
        var separate = new List<string>();
        foreach (var strength in Strengths)
            separate.AddRange(Choices((await server.CompleteAsync(Body($"\"alignment_strength\":{strength}"))).Json));
        Assert.Equal(separate, Choices(swept.Json));
        Assert.Equal(separate.Count, separate.Distinct().Count());
    }

    [Fact]
    public async Task Over_gRPC_it_is_the_same()
    {
        await using var server = await ServerFixture.StartAsync();
        var (prompt, options) = (new Prompt { Text = "one" }, new GenerationOptions { Seed = 7, N = 2, MaxTokens = 12 });
        var conversation = new Conversation { Messages = { new ChatMessage { Role = Role.User, Content = "a story" } } };
        var (texts, answers) = (new List<string>(), new List<string>());
        foreach (var strength in (double[])[0, .5, 2])
        {
            options.AlignmentStrength = strength;
            texts.AddRange((await server.Inference.GenerateAsync(new() { Prompt = prompt, Options = options },
                cancellationToken: ServerFixture.Stop)).Choices.Select(choice => choice.Text));
            answers.AddRange((await server.Inference.ChatAsync(new() { Conversation = conversation, Options = options },
                cancellationToken: ServerFixture.Stop)).Choices.Select(choice => choice.Message.Content));
        }
        options.ClearAlignmentStrength();
        options.AlignmentSweep.AddRange([0, .5, 2]);
        var whole = await server.Inference.GenerateAsync(new() { Prompt = prompt, Options = options },
            cancellationToken: ServerFixture.Stop);
        Assert.Equal(texts, whole.Choices.Select(choice => choice.Text));
        Assert.Equal([0, 0, .5, .5, 2, 2], whole.Choices.Select(choice => choice.AlignmentStrength));
        Assert.False(whole.HasAlignmentStrength);
        var chat = await server.Inference.ChatAsync(new() { Conversation = conversation, Options = options },
            cancellationToken: ServerFixture.Stop);
        Assert.Equal(answers, chat.Choices.Select(choice => choice.Message.Content));
        Assert.Equal([0, 0, .5, .5, 2, 2], chat.Choices.Select(choice => choice.AlignmentStrength));
        using var call = server.Inference.GenerateStream(new() { Prompt = prompt, Options = options },
            cancellationToken: ServerFixture.Stop);
        var (streamed, events) = (new string[6], await call.ResponseStream.ReadAllAsync(ServerFixture.Stop)
            .ToListAsync(ServerFixture.Stop));
        Assert.Equal([0, .5, 2], events[0].Started.AlignmentSweep);
        foreach (var happened in events) if (happened.Delta is { } delta) streamed[delta.Index] += delta.Text;
        Assert.Equal(texts, streamed);
    }

    [Theory]
    [InlineData("[0.5,2]", "0.5")]
    [InlineData("[0,0.5,1,2]", "0.5")]
    [InlineData("[0,1]", "0.5")]
    [InlineData("[2,2,2]", "2")]
    public async Task A_prompt_is_computed_once_by_each_model(string sweep, string alone)
    {
        const string letters = "abcdefghijklmnopqrstuvwxyz, and so on to an end";
        async Task<(int[] Ran, JsonElement Usage)> RanAsync(string strengths)
        {
            await using var server = await ServerFixture.StartAsync(engine: new() { Speculation = Speculation.Off });
            var reply = await server.CompleteAsync(
                $$"""{"prompt":"{{letters}}",{{strengths}},"max_tokens":1,"temperature":0,"ignore_eos":true}""");
            Assert.Equal(200, reply.Status);
            return ([.. server.Executor.TokensRun], reply.Json.GetProperty("usage"));
        }
        var one = await RanAsync($"\"alignment_strength\":{alone}");
        var many = await RanAsync($"\"alignment_sweep\":{sweep}");
        // But for the prompt's last token, whose logits each choice wants from its models.
        var count = sweep.Count(letter => letter == ',') + 1;
        for (var model = 0; model < 2; model++) Assert.InRange(many.Ran[model], one.Ran[model], one.Ran[model] + count - 1);
        Assert.Equal(one.Usage.GetProperty("prompt_tokens").GetInt32(), many.Usage.GetProperty("prompt_tokens").GetInt32());
        Assert.Equal(0, many.Usage.GetProperty("prompt_tokens_details").GetProperty("cached_tokens").GetInt32());
        Assert.Equal(count, many.Usage.GetProperty("completion_tokens").GetInt32());
    }

    [Fact]
    public async Task A_prompt_counts_as_found_where_the_models_of_all_strengths_have_it()
    {
        await using var server = await ServerFixture.StartAsync();
        async Task<int> CachedAsync(string strengths) => (await server.CompleteAsync(
            $$"""{"prompt":"abcdefghijklmnopqrstuvwxyz","seed":5,"max_tokens":4,{{strengths}}}""")).Json.GetProperty("usage")
            .GetProperty("prompt_tokens_details").GetProperty("cached_tokens").GetInt32();
        await CachedAsync("\"alignment_strength\":0");
        Assert.Equal(0, await CachedAsync("\"alignment_sweep\":[0,1]"));
        Assert.InRange(await CachedAsync("\"alignment_sweep\":[0,0.5,1]"), 24, 26);
    }

    [Fact]
    public async Task With_several_aligned_models_it_is_the_first_one_s()
    {
        await using var server = await ServerFixture.StartAsync(Scripts.Saying("hello", models: 3), aligned: ["helpful", "concise"]);
        var reply = await server.CompleteAsync("""{"prompt":"a","alignment_sweep":[0,2]}""");
        Assert.Equal([0, 2], StrengthsOf(reply.Json));
        Assert.False(reply.Json.TryGetProperty("alignment_strengths", out _));
    }

    [Theory]
    [InlineData("\"alignment_sweep\":[]", "alignment_sweep", "must hold 1 to 32")]
    [InlineData("\"alignment_sweep\":0.5", "alignment_sweep", "a list of numbers")]
    [InlineData("\"alignment_sweep\":[0,\"1\"]", "alignment_sweep[1]", "a number")]
    [InlineData("\"alignment_sweep\":[0,11]", "alignment_sweep[1]", "is 11; it must be between -1 and 10")]
    [InlineData("\"alignment_sweep\":[0,1],\"alignment_strength\":1", "alignment_sweep", "'alignment_strength' are both set")]
    [InlineData("\"alignment_sweep\":[0,1],\"lambda\":1", "alignment_sweep", "'lambda' are both set")]
    [InlineData("\"alignment_sweep\":[0,1],\"alignment_strengths\":{\"aligned\":1}", "alignment_sweep", "'alignment_strengths' are both set")]
    [InlineData("\"alignment_sweep\":[0,1],\"n\":65", "alignment_sweep", "make 130 choices; at most 128")]
    [InlineData("\"alignment_sweep\":[0,1,2,3,4,5,6],\"best_of\":20", "alignment_sweep", "make 140 choices; at most 128")]
    [InlineData("\"alignment_sweep\":[0,1],\"model\":\"pair@99\"", "model", "between -1 and 10")]
    public async Task What_is_wrong_is_refused_by_name(string fields, string param, string message)
    {
        await using var server = await ServerFixture.StartAsync();
        var reply = await server.CompleteAsync($$"""{"prompt":"a","max_tokens":1,{{fields}}}""");
        Assert.Equal((400, param), (reply.Status, reply.Param));
        Assert.Contains(message, reply.Error.GetProperty("message").GetString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task It_has_32_strengths_at_most_and_counts_over_all_prompts()
    {
        await using var server = await ServerFixture.StartAsync(Scripts.Saying("a"));
        Task<Reply> Sweep(int count, string prompts) => server.CompleteAsync(
            $$"""{"prompt":[{{prompts}}],"max_tokens":1,"alignment_sweep":[{{string.Join(',', Enumerable.Repeat("1", count))}}]}""");
        Assert.Equal(32, (await Sweep(RealignmentFields.MaxSweep, "\"a\"")).Json.GetProperty("choices").GetArrayLength());
        var more = await Sweep(RealignmentFields.MaxSweep + 1, "\"a\"");
        Assert.Equal((400, "alignment_sweep"), (more.Status, more.Param));
        Assert.Equal(200, (await Sweep(32, "\"a\",\"b\",\"c\",\"d\"")).Status);
        Assert.Equal(400, (await Sweep(32, "\"a\",\"b\",\"c\",\"d\",\"e\"")).Status);
    }

    [Fact]
    public async Task It_outweighs_a_strength_in_the_model_s_name()
    {
        await using var server = await ServerFixture.StartAsync();
        var reply = await server.CompleteAsync("""{"prompt":"a","model":"pair@0.25","alignment_sweep":[0,1]}""");
        Assert.Equal([0, 1], StrengthsOf(reply.Json));
    }
}
