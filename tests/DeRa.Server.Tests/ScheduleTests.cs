using System.Text.Json;
using DeRa.Engine.Scheduling;
using DeRa.Protos.V1;
using DeRa.Server.Tests.Http;
using DeRa.Testing;
using Grpc.Core;
using NJsonSchema;
using Xunit;

namespace DeRa.Server.Tests;

/// <summary>Strengths that change from token to token, and strengths that messages carry, over both transports.</summary>
public class ScheduleTests
{
    private const string Jump = "\"alignment_schedule\":[[0,0],[5,2]]";
    private const string Hello = "{\"role\":\"user\",\"content\":\"hello\"}";

    private static readonly string Letters = $"\"allowed_token_ids\":[{string.Join(',', Enumerable.Range('a', 26))}]";

    private static int[] Ids(JsonElement holder, string name = "token_ids") =>
        [.. holder.GetProperty(name).EnumerateArray().Select(token => token.GetInt32())];

    [Theory]
    [InlineData("/v1/completions", "\"prompt\":\"hello\"", "")]
    [InlineData("/v1/chat/completions", "\"messages\":[" + Hello + "]", "")]
    [InlineData("/v1/completions", "\"prompt\":\"hello\"", ",\"speculation\":false")]
    [InlineData("/v1/completions", "\"prompt\":\"hello\"", ",\"temperature\":0")]
    public async Task What_follows_a_jump_is_what_a_request_that_began_with_the_text_gets(string path, string subject, string more)
    {
        await using var server = await ServerFixture.StartAsync(engine: new() { Speculation = Speculation.On });
        var common = $"\"seed\":5,{Letters},\"return_token_ids\":true{more}";
        var all = await server.PostAsync(path, $$"""{{{subject}},{{common}},"max_tokens":20,{{Jump}}}""");
        Assert.Equal(200, all.Status);
        var tokens = Ids(all.Choice());
        var prompt = path.Contains("chat") ? Ids(all.Json, "prompt_token_ids") : Ids(all.Choice(), "prompt_token_ids");
        async Task<int[]> TokensAsync(IEnumerable<int> before, int count, int strength) => Ids((await server.CompleteAsync($$"""
            {"prompt":[{{string.Join(',', before)}}],{{common}},"max_tokens":{{count}},"alignment_strength":{{strength}}}
            """)).Choice());
        Assert.Equal(tokens[..5], await TokensAsync(prompt, 5, 0));
        Assert.Equal(tokens[5..], await TokensAsync([.. prompt, .. tokens[..5]], 15, 2));
        Assert.NotEqual(tokens[5..], await TokensAsync([.. prompt, .. tokens[..5]], 15, 0));
    }

    [Theory]
    [InlineData("\"alignment_strength\":0", "[[0,0],[{0},2]]")]
    [InlineData("\"alignment_schedule\":[[0,1],[2,0],[15000,1]]", "[[0,1],[2,0],[{0},2]]")]
    public async Task A_change_in_mid_stream_is_a_schedule_with_the_same_jump(string begin, string schedule)
    {
        using var hold = new SemaphoreSlim(8);
        var executor = new ScriptedExecutor(contextTokens: 1 << 14, blockTokens: 64, blockCount: 1 << 10);
        executor.BeforeStep = _ => hold.Wait(executor.TestOver);
        await using var server = await ServerFixture.StartAsync(executor, new() { Speculation = Speculation.Off });
        var common = $"\"prompt\":\"a\",\"seed\":5,{Letters},\"return_token_ids\":true";
        using var stream = await OpenStream.StartAsync(server, $$"""{{{common}},"stream":true,"max_tokens":14000,{{begin}}}""");
        var path = $"/v1/realignment/generations/{stream.Id}";
        var (tokens, from, stops, change) = (new List<int>(), int.MaxValue, false, (Task<Reply>?)null);
        while (await stream.NextAsync() is { } happened)
        {
            tokens.AddRange(Ids(happened.GetProperty("choices")[0]));
            hold.Release();
            if (tokens.Count >= 5) change ??= server.PostAsync(path, """{"alignment_strength":2}""");
            if (change is { IsCompleted: true }) from = (await change).Json.GetProperty("choices")[0].GetProperty("from_token").GetInt32();
            if (stops || tokens.Count - 20 < from) continue;
            stops = true;
            await server.PostAsync(path, """{"stop":true}""");
            hold.Release(1 << 20);
        }
        var same = schedule.Replace("{0}", $"{from}", StringComparison.Ordinal);
        var reply = await server.CompleteAsync($$"""{{{common}},"max_tokens":{{tokens.Count}},"alignment_schedule":{{same}}}""");
        Assert.Equal(tokens, Ids(reply.Choice()));
    }

    [Theory]
    [InlineData("/v1/completions", "\"prompt\":\"hello\"")]
    [InlineData("/v1/chat/completions", "\"messages\":[" + Hello + "]")]
    public async Task Each_chunk_says_the_strength_of_its_tokens_and_the_response_the_schedule(string path, string subject)
    {
        const string ramp = """{"start":2,"end":0,"tokens":4,"shape":"linear"}""";
        await using var server = await ServerFixture.StartAsync();
        string Body(string stream) => $$"""
            {{{subject}},{{Letters}},"seed":5,"max_tokens":7,"n":2,"return_token_ids":true,"stream":{{stream}},
             "alignment_schedule":{{ramp}}}
            """;
        var whole = await server.PostAsync(path, Body("false"));
        Assert.Equal(ramp, whole.Json.GetProperty("alignment_schedule").GetRawText());
        Assert.False(whole.Json.TryGetProperty("alignment_strength", out _) || whole.Choice().TryGetProperty("alignment_strength", out _));
        var (strengths, tokens) = ((List<double>[])[[], []], (List<int>[])[[], []]);
        foreach (var happened in (await server.PostAsync(path, Body("true"))).Events())
        {
            Assert.Equal(ramp, happened.GetProperty("alignment_schedule").GetRawText());
            var choice = happened.GetProperty("choices")[0];
            var (index, strength) = (choice.GetProperty("index").GetInt32(), choice.GetProperty("alignment_strength").GetDouble());
            int[] own = choice.TryGetProperty("token_ids", out _) ? Ids(choice) : [];
            tokens[index].AddRange(own);
            strengths[index].AddRange(own.Select(_ => strength));
        }
        for (var choice = 0; choice < 2; choice++)
        {
            Assert.Equal([2, 1.5, 1, 0.5, 0, 0, 0], strengths[choice]);
            Assert.Equal(Ids(whole.Choice(choice)), tokens[choice]);
        }
    }

    [Fact]
    public async Task Of_best_of_candidates_on_a_schedule_those_with_the_highest_log_probabilities_come_back()
    {
        await using var server = await ServerFixture.StartAsync();
        string Body(string choices) => $$"""{"prompt":"hello","seed":5,"max_tokens":9,"logprobs":0,{{choices}},{{Jump}}}""";
        static double Mean(JsonElement choice) =>
            choice.GetProperty("logprobs").GetProperty("token_logprobs").EnumerateArray().Average(one => one.GetDouble());
        var all = (await server.CompleteAsync(Body("\"n\":6"))).Json.GetProperty("choices").EnumerateArray().ToArray();
        var best = await server.CompleteAsync(Body("\"n\":2,\"best_of\":6"));
        Assert.Equal(all.OrderByDescending(Mean).Take(2).Select(choice => choice.GetProperty("text").GetString()),
            [best.Text(), best.Text(1)]);
    }

    [Fact]
    public async Task Scores_of_an_echoed_prompt_are_those_of_the_first_strength()
    {
        await using var server = await ServerFixture.StartAsync();
        async Task<string> ScoresAsync(string strength, int tokens) => string.Join(',', (await server.CompleteAsync(
            $$"""{"prompt":"hello","echo":true,"logprobs":1,"max_tokens":{{tokens}},"seed":5,{{strength}}}""")).Choice()
            .GetProperty("logprobs").GetProperty("token_logprobs").EnumerateArray().Take(6).Select(one => one.GetRawText()));
        var expected = await ScoresAsync("\"alignment_strength\":0", 0);
        Assert.Equal(expected, await ScoresAsync(Jump, 0));
        Assert.Equal(expected, await ScoresAsync(Jump, 9));
    }

    [Theory]
    [InlineData("[[0,0],[5,2]]", new double[] { 2 })]
    [InlineData("{\"start\":2,\"end\":0,\"tokens\":4}", new double[] { 1.5, 1, 0.5, 0 })]
    [InlineData("{\"start\":0,\"end\":2,\"tokens\":6,\"shape\":\"cosine\"}",
        new double[] { 0.133974596216, 0.5, 1, 1.5, 1.866025403784, 2 })]
    [InlineData("{\"start\":1,\"end\":0.5,\"tokens\":0,\"shape\":\"step\"}", new double[0])]
    public async Task Over_gRPC_it_is_the_same(string json, double[] changes)
    {
        await using var server = await ServerFixture.StartAsync();
        var reply = await server.CompleteAsync(
            $$"""{"prompt":"hello","seed":5,"max_tokens":12,"return_token_ids":true,"alignment_schedule":{{json}}}""");
        var schedule = Message(JsonDocument.Parse(json).RootElement);
        var options = new GenerationOptions { Seed = 5, MaxTokens = 12, AlignmentSchedule = schedule };
        var prompt = new Prompt { Text = "hello" };
        var whole = await server.Inference.GenerateAsync(new() { Prompt = prompt, Options = options },
            cancellationToken: ServerFixture.Stop);
        Assert.Equal(Ids(reply.Choice()), whole.Choices[0].Tokens.Select(token => token.Id));
        if (schedule.Ramp is { Shape: ScheduleShape.Unspecified }) schedule.Ramp.Shape = ScheduleShape.Linear;
        Assert.Equal((schedule, false), (whole.AlignmentSchedule, whole.HasAlignmentStrength));
        using var call = server.Inference.GenerateStream(new() { Prompt = prompt, Options = options },
            cancellationToken: ServerFixture.Stop);
        var events = await call.ResponseStream.ReadAllAsync(ServerFixture.Stop).ToListAsync(ServerFixture.Stop);
        Assert.Equal((schedule, false), (events[0].Started.AlignmentSchedule, events[0].Started.HasAlignmentStrength));
        Assert.Equal(Ids(reply.Choice()), events.SelectMany(happened => happened.Delta?.Tokens.AsEnumerable() ?? [])
            .Select(token => token.Id));
        Assert.Equal(changes, events.Select(happened => happened.Changed).Where(changed => changed is not null)
            .Select(changed => changed.AlignmentStrength));
    }

    private static AlignmentSchedule Message(JsonElement json) => json.ValueKind == JsonValueKind.Array
        ? new()
        {
            Points = new()
            {
                Points =
                {
                    json.EnumerateArray().Select(point =>
                        new SchedulePoint { FromToken = point[0].GetInt32(), AlignmentStrength = point[1].GetDouble() }),
                },
            },
        }
        : new()
        {
            Ramp = new()
            {
                Start = json.GetProperty("start").GetDouble(),
                End = json.GetProperty("end").GetDouble(),
                Tokens = json.GetProperty("tokens").GetInt32(),
                Shape = json.TryGetProperty("shape", out var shape) ? Enum.Parse<ScheduleShape>(shape.GetString()!, ignoreCase: true) : 0,
            },
        };

    /// <summary>The request's field, then the last message that carries one, then the model's name.</summary>
    [Theory]
    [InlineData("0.2", "0.3", "\"alignment_strength\":0.4,\"model\":\"pair@0.5\"", 0.4)]
    [InlineData("0.2", "0.3", "\"model\":\"pair@0.5\"", 0.3)]
    [InlineData("0.2", "null", "\"model\":\"pair@0.5\"", 0.2)]
    [InlineData("null", "null", "\"model\":\"pair@0.5\"", 0.5)]
    [InlineData("null", "0.3", "\"n\":1", 0.3)]
    [InlineData("null", "null", "\"n\":1", 1)]
    [InlineData("null", "null", "\"lambda\":0.4,\"model\":\"pair@0.5\"", 0.4)]
    public async Task A_message_s_strength_holds_where_the_request_names_none(string first, string last, string fields, double expected)
    {
        await using var server = await ServerFixture.StartAsync();
        var reply = await server.ChatAsync($$"""
            {"messages":[{"role":"user","content":"a","alignment_strength":{{first}}},{"role":"assistant","content":"b"},
             {"role":"user","content":"c","alignment_strength":{{last}}}],"max_tokens":6,"seed":5,{{fields}}}
            """);
        Assert.Equal((200, expected), (reply.Status, reply.Json.GetProperty("alignment_strength").GetDouble()));
        var plain = await server.ChatAsync($$"""
            {"messages":[{"role":"user","content":"a"},{"role":"assistant","content":"b"},{"role":"user","content":"c"}],"max_tokens":6,
             "seed":5,"alignment_strength":{{expected}}}
            """);
        Assert.Equal(plain.Text(), reply.Text());
        var conversation = new Conversation
        {
            Messages =
            {
                new ChatMessage { Role = Role.User, Content = "a" }, new ChatMessage { Role = Role.Assistant, Content = "b" },
                new ChatMessage { Role = Role.User, Content = "c" },
            },
        };
        if (first != "null") conversation.Messages[0].AlignmentStrength = 0.2;
        if (last != "null") conversation.Messages[2].AlignmentStrength = 0.3;
        var request = new ChatRequest { Conversation = conversation, Options = new() { Seed = 5, MaxTokens = 6 } };
        if (fields.Contains("pair@")) request.Model = "pair@0.5";
        if (fields.Contains("0.4")) request.Options.AlignmentStrength = 0.4;
        var called = await server.Inference.ChatAsync(request, cancellationToken: ServerFixture.Stop);
        Assert.Equal((expected, plain.Text()), (called.AlignmentStrength, called.Choices[0].Message.Content));
    }

    [Fact]
    public async Task With_several_aligned_models_it_is_the_first_one_s()
    {
        await using var server = await ServerFixture.StartAsync(Scripts.Saying("hello", models: 3), aligned: ["helpful", "concise"]);
        var events = (await server.CompleteAsync("""{"prompt":"a","stream":true,"alignment_schedule":[[0,1],[2,0.5]]}""")).Events();
        Assert.Equal(["""{"helpful":1,"concise":0}""", """{"helpful":0.5,"concise":0}"""], events.Select(happened =>
            happened.GetProperty("choices")[0].GetProperty("alignment_strengths").GetRawText()).Distinct());
    }

    [Theory]
    [InlineData("\"alignment_schedule\":0.5", "alignment_schedule", "an object with 'start', 'end' and 'tokens', or a list")]
    [InlineData("\"alignment_schedule\":[]", "alignment_schedule", "1 to 64")]
    [InlineData("\"alignment_schedule\":[0,1]", "alignment_schedule[0]", "[token, strength]")]
    [InlineData("\"alignment_schedule\":[[0,1,2]]", "alignment_schedule[0]", "[token, strength]")]
    [InlineData("\"alignment_schedule\":[[1,0.5]]", "alignment_schedule[0][0]", "is 1; it must be 0")]
    [InlineData("\"alignment_schedule\":[[0,0.5],[0,1]]", "alignment_schedule[1][0]", "is 0; it must be above 0")]
    [InlineData("\"alignment_schedule\":[[0,0.5],[7,1],[4,1]]", "alignment_schedule[2][0]", "is 4; it must be above 7")]
    [InlineData("\"alignment_schedule\":[[0,0.5],[-1,1]]", "alignment_schedule[1][0]", "between 0 and 2147483647")]
    [InlineData("\"alignment_schedule\":[[0,0.5],[1.5,1]]", "alignment_schedule[1][0]", "a whole number")]
    [InlineData("\"alignment_schedule\":[[0,11]]", "alignment_schedule[0][1]", "is 11; it must be between -1 and 10")]
    [InlineData("\"alignment_schedule\":[[0,\"1\"]]", "alignment_schedule[0][1]", "a number")]
    [InlineData("\"alignment_schedule\":{}", "alignment_schedule.start", "missing")]
    [InlineData("\"alignment_schedule\":{\"start\":1,\"tokens\":3}", "alignment_schedule.end", "missing")]
    [InlineData("\"alignment_schedule\":{\"start\":1,\"end\":0,\"tokens\":null}", "alignment_schedule.tokens", "missing")]
    [InlineData("\"alignment_schedule\":{\"start\":1,\"end\":-2,\"tokens\":3}", "alignment_schedule.end", "between -1 and 10")]
    [InlineData("\"alignment_schedule\":{\"start\":1,\"end\":0,\"tokens\":-1}", "alignment_schedule.tokens", "between 0 and 2147483647")]
    [InlineData("\"alignment_schedule\":{\"start\":1,\"end\":0,\"tokens\":2.5}", "alignment_schedule.tokens", "a whole number")]
    [InlineData("\"alignment_schedule\":{\"start\":1,\"end\":0,\"tokens\":3,\"shape\":\"round\"}", "alignment_schedule.shape", "'cosine'")]
    [InlineData("\"alignment_schedule\":{\"start\":1,\"end\":0,\"tokens\":3,\"from\":1}", "alignment_schedule.from", "'shape'")]
    [InlineData(Jump + ",\"alignment_strength\":0", "alignment_schedule", "'alignment_strength' are both set")]
    [InlineData(Jump + ",\"lambda\":0", "alignment_schedule", "'lambda' are both set")]
    [InlineData(Jump + ",\"alignment_strengths\":{\"aligned\":1}", "alignment_schedule", "'alignment_strengths' are both set")]
    [InlineData(Jump + ",\"alignment_sweep\":[0,1]", "alignment_schedule", "'alignment_sweep' are both set")]
    [InlineData(Jump + ",\"model\":\"pair-reference\"", "alignment_schedule", "fixes the mixture")]
    [InlineData("\"metadata\":{},\"extra_body\":{" + Jump + "}", "extra_body.alignment_schedule", "a field of the request itself")]
    public async Task What_is_wrong_is_refused_by_name(string fields, string param, string message)
    {
        await using var server = await ServerFixture.StartAsync();
        var reply = await server.CompleteAsync($$"""{"prompt":"a","max_tokens":1,{{fields}}}""");
        Assert.Equal((400, param), (reply.Status, reply.Param));
        Assert.Contains(message, reply.Error.GetProperty("message").GetString(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("\"alignment_strength\":11", "alignment_strength", "between -1 and 10")]
    [InlineData("\"alignment_strength\":\"1\"", "alignment_strength", "a number")]
    [InlineData("\"alignment_strenght\":1", "alignment_strenght", "'alignment_strength' meant")]
    [InlineData("\"lambda\":1", "lambda", "'alignment_strength' meant")]
    [InlineData("\"alignment_schedule\":[[0,1]]", "alignment_schedule", "'alignment_strength' meant")]
    public async Task A_message_s_strength_that_is_wrong_is_refused_by_its_place(string field, string param, string message)
    {
        await using var server = await ServerFixture.StartAsync();
        var reply = await server.ChatAsync($$"""{"messages":[{{Hello}},{"role":"user","content":"a",{{field}}}],"max_tokens":1}""");
        Assert.Equal((400, $"messages[1].{param}"), (reply.Status, reply.Param));
        Assert.Contains(message, reply.Error.GetProperty("message").GetString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_reference_describes_what_the_reader_takes()
    {
        await using var server = await ServerFixture.StartAsync(Scripts.Saying("x"));
        var schema = (await OpenApiTests.DocumentAsync(server))["components"]!["schemas"]!["CompletionRequest"]!["properties"]!
            ["alignment_schedule"]!;
        var oracle = await JsonSchema.FromJsonAsync(schema.ToJsonString(), ServerFixture.Stop);
        foreach (var value in (string[])["null", "1", "{}", "[]", "[1]", "[[0]]", "[[0,1]]", "[[0,-1.5]]", "[[0,10],[2147483647,-1]]",
            """{"start":1,"end":0.3,"tokens":64}""", """{"start":1,"end":0.3,"tokens":0,"shape":null}""", """{"start":1,"end":0.3}""",
            """{"start":11,"end":0.3,"tokens":1}""", """{"start":1,"end":0.3,"tokens":-1}""",
            """{"start":1,"end":0,"tokens":1,"shape":"step"}""",
            """{"start":1,"end":0,"tokens":1,"shape":"steps"}""", """{"start":1,"end":0,"tokens":1,"more":1}""",
            """{"start":null,"end":0,"tokens":1}""", $"[{string.Join(',', Enumerable.Range(0, 64).Select(i => $"[{i},1]"))}]",
            $"[{string.Join(',', Enumerable.Range(0, 65).Select(i => $"[{i},1]"))}]"])
            Assert.Equal((value, oracle.Validate(value).Count == 0),
                (value, (await server.CompleteAsync($$"""{"prompt":"a","alignment_schedule":{{value}}}""")).Status == 200));
    }
}
