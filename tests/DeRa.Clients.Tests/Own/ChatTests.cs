using System.Text.Json;
using DeRa.Client.Alignment;
using DeRa.Testing;
using DeRa.Testing.Server;
using Microsoft.Extensions.AI;
using Xunit;

namespace DeRa.Clients.Tests.Own;

/// <summary>What DeRa's own client asks for and reads, over both transports.</summary>
public class ChatTests
{
    private const string Hello = """{"messages":[{"role":"user","content":"Hello"}],"seed":3,"max_tokens":24""";

    public static TheoryData<string> Transports => [ClientUnderTest.Http, ClientUnderTest.Grpc];

    private static CancellationToken Stop => ServerFixture.Stop;

    private static ChatOptions Options => new() { Seed = 3, MaxOutputTokens = 24 };

    [Theory]
    [MemberData(nameof(Transports))]
    public async Task The_text_is_that_of_a_raw_request_whole_and_streamed(string transport)
    {
        await using var server = await ServerFixture.StartAsync();
        using var client = new ClientUnderTest(transport, server);
        var texts = new List<string>();
        foreach (var strength in (double[])[0, 0.5, 1.5])
        {
            var options = Options;
            (options.AlignmentStrength, options.Temperature, options.TopP, options.TopK) = (strength, 0.7f, 0.9f, 50);
            (options.FrequencyPenalty, options.PresencePenalty) = (0.3f, 0.1f);
            (options.AdditionalProperties ??= [])["min_p"] = 0.001;
            var raw = await server.ChatAsync(FormattableString.Invariant($$"""
                {{Hello}},"alignment_strength":{{strength}},"temperature":0.7,"top_p":0.9,"top_k":50,"frequency_penalty":0.3,
                "presence_penalty":0.1,"min_p":0.001}
                """));
            var whole = await client.Chat.GetResponseAsync("Hello", options, Stop);
            var updates = await client.Chat.GetStreamingResponseAsync("Hello", options, Stop).ToListAsync(Stop);
            var streamed = updates.ToChatResponse();
            texts.Add(whole.Text);
            Assert.Equal((raw.Text(), raw.Text()), (whole.Text, streamed.Text));
            Assert.Equal((ChatFinishReason.Length, ChatFinishReason.Length), (whole.FinishReason, streamed.FinishReason));
            Assert.Equal((strength, 3), (whole.AlignmentStrength, whole.Seed));
            Assert.Equal((strength, 3), (streamed.AlignmentStrength, streamed.Seed));
            Assert.Equal((24, whole.Usage!.InputTokenCount), (whole.Usage.OutputTokenCount, streamed.Usage!.InputTokenCount));
            Assert.Equal(whole.Usage.TotalTokenCount, streamed.Usage.TotalTokenCount);
            Assert.True(updates.Count(update => update.Text.Length > 0) > 1);
        }
        Assert.Equal(3, texts.Distinct().Count());
    }

    [Theory]
    [MemberData(nameof(Transports))]
    public async Task Instructions_stops_model_and_a_messages_strength_reach_the_server(string transport)
    {
        await using var server = await ServerFixture.StartAsync();
        using var client = new ClientUnderTest(transport, server, model: "pair@0.25");
        var said = new ChatMessage(ChatRole.User, [new TextContent("Hel"), new TextContent("lo")]) { AlignmentStrength = 0.75 };
        var options = Options;
        options.Instructions = "Be kind.";
        var raw = await server.ChatAsync("""
            {"messages":[{"role":"system","content":"Be kind."},{"role":"user","content":"Hello"}],"seed":3,"max_tokens":24,"lambda":0.75}
            """);
        var response = await client.Chat.GetResponseAsync([said], options, Stop);
        Assert.Equal((raw.Text(), 0.75, "pair@0.25"), (response.Text, response.AlignmentStrength, response.ModelId));
        said.AlignmentStrength = null;
        Assert.Equal(0.25, (await client.Chat.GetResponseAsync([said], options, Stop)).AlignmentStrength);

        options.StopSequences = [raw.Text()[3..4]];
        var cut = await client.Chat.GetResponseAsync([said], options, Stop);
        Assert.DoesNotContain(options.StopSequences[0], cut.Text, StringComparison.Ordinal);
        options.ModelId = "pair-reference";
        Assert.Equal(0, (await client.Chat.GetResponseAsync([said], options, Stop)).AlignmentStrength);
    }

    [Theory]
    [MemberData(nameof(Transports))]
    public async Task A_sweeps_choices_have_their_strengths_whole_and_streamed(string transport)
    {
        await using var server = await ServerFixture.StartAsync();
        using var client = new ClientUnderTest(transport, server);
        var options = Options;
        (options.AlignmentSweep, options.ChoiceCount) = ([0, 1, 2], 2);
        var raw = await server.ChatAsync($$"""{{Hello}},"alignment_sweep":[0,1,2],"n":2}""");
        var whole = await client.Chat.GetResponseAsync("Hello", options, Stop);
        Assert.Null(whole.AlignmentStrength);
        Assert.Equal([0, 0, 1, 1, 2, 2], whole.Choices.Select(choice => choice.AlignmentStrength!.Value));
        Assert.Equal(Enumerable.Range(0, 6).Select(raw.Text), whole.Choices.Select(choice => choice.Text));
        Assert.Equal(whole.Choices.Select(choice => choice.Text), whole.Messages.Select(message => message.Text));

        var updates = await client.Chat.GetStreamingResponseAsync("Hello", options, Stop).ToListAsync(Stop);
        foreach (var choice in whole.Choices)
        {
            var own = updates.Where(update => update.ChoiceIndex == choice.Index).ToList();
            Assert.Equal(choice.Text, string.Concat(own.Select(update => update.Text)));
            Assert.All(own, update => Assert.Equal(choice.AlignmentStrength, update.AlignmentStrength));
        }
    }

    [Theory]
    [MemberData(nameof(Transports))]
    public async Task A_schedule_moves_the_strength(string transport)
    {
        await using var server = await ServerFixture.StartAsync();
        using var client = new ClientUnderTest(transport, server);
        (AlignmentSchedule Schedule, string Wire)[] schedules =
        [
            (AlignmentSchedule.Of((0, 0), (4, 1.5)), "[[0,0],[4,1.5]]"),
            (AlignmentSchedule.Ramp(3, -1, 20), """{"start":3,"end":-1,"tokens":20}"""),
            (AlignmentSchedule.Ramp(3, -1, 20, ScheduleShape.Cosine), """{"start":3,"end":-1,"tokens":20,"shape":"cosine"}"""),
            (AlignmentSchedule.Ramp(3, -1, 20, ScheduleShape.Step), """{"start":3,"end":-1,"tokens":20,"shape":"step"}"""),
        ];
        var texts = new List<string>();
        foreach (var (schedule, wire) in schedules)
        {
            var options = Options;
            options.AlignmentSchedule = schedule;
            var raw = await server.ChatAsync($$"""{{Hello}},"alignment_schedule":{{wire}}}""");
            var updates = await client.Chat.GetStreamingResponseAsync("Hello", options, Stop).ToListAsync(Stop);
            var strengths = updates.Where(update => update.ChoiceIndex is not null).Select(update => update.AlignmentStrength).ToList();
            texts.Add(string.Concat(updates.Select(update => update.Text)));
            Assert.Equal(raw.Text(), texts[^1]);
            Assert.Equal(schedule is PointSchedule ? (0, 1.5) : (3, -1), (strengths[0], strengths[^1]));
        }
        Assert.Equal(4, texts.Distinct().Count());
    }

    [Theory]
    [MemberData(nameof(Transports))]
    public async Task Measures_are_those_of_a_raw_request_whole_and_streamed(string transport)
    {
        await using var server = await ServerFixture.StartAsync();
        using var client = new ClientUnderTest(transport, server);
        var options = Options;
        (options.Measures, options.AlignmentStrength) = (new MeasureRequest(Top: 2), 0.5);
        var raw = (await server.ChatAsync(Hello + ""","lambda":0.5,"measures":{"top":2}}""")).Choice().GetProperty("measures");
        var whole = Assert.Single((await client.Chat.GetResponseAsync("Hello", options, Stop)).Choices).Measures!;
        CheckSums(raw, whole.Sums!);
        CheckTokens(raw, whole.Tokens);

        var updates = await client.Chat.GetStreamingResponseAsync("Hello", options, Stop).ToListAsync(Stop);
        CheckTokens(raw, [.. updates.SelectMany(update => update.Measures?.Tokens ?? [])]);
        CheckSums(raw, Assert.Single(updates, update => update.Measures?.Sums is not null).Measures!.Sums!);
        Assert.All(await client.Chat.GetStreamingResponseAsync("Hello", Options, Stop).ToListAsync(Stop),
            update => Assert.Null(update.Measures));
    }

    [Theory]
    [MemberData(nameof(Transports))]
    public async Task Several_aligned_models_are_told_apart_by_name(string transport)
    {
        await using var server = await ServerFixture.StartAsync(
            new ScriptedExecutor(runners: [new([0], ""), new([1], ""), new([2], "")]), aligned: ["kind", "brief"]);
        using var client = new ClientUnderTest(transport, server);
        var options = Options;
        (options.AlignmentStrengths, options.Measures) = (new Dictionary<string, double> { ["kind"] = 0.5, ["brief"] = 0.25 }, new());
        var raw = await server.ChatAsync(Hello + ""","alignment_strengths":{"kind":0.5,"brief":0.25},"measures":true}""");
        var response = await client.Chat.GetResponseAsync("Hello", options, Stop);
        Assert.Equal(raw.Text(), response.Text);
        Assert.Null(response.AlignmentStrength);
        Assert.Equal((0.5, 0.25), (response.AlignmentStrengths["kind"], response.AlignmentStrengths["brief"]));
        var token = response.Choices[0].Measures!.Tokens[0];
        Assert.Equal(["kind", "brief"], token.AlignedByName.Keys);
        Assert.Equal(token.AlignedByName["kind"], token.Aligned);
        var first = raw.Choice().GetProperty("measures").GetProperty("tokens")[0];
        Assert.Equal(first.GetProperty("kls_to_aligned").GetProperty("brief").GetDouble(), token.AlignedByName["brief"].Kl);
    }

    private static void CheckTokens(JsonElement raw, IReadOnlyList<TokenMeasures> tokens)
    {
        Assert.Equal(24, tokens.Count);
        foreach (var (said, token) in raw.GetProperty("tokens").EnumerateArray().Zip(tokens))
        {
            double Number(string name) => said.GetProperty(name).GetDouble();
            Assert.Equal(said.GetProperty("id").GetInt32(), token.Id);
            Assert.Equal((Number("logprob"), Number("logprob_reference")), (token.LogProb, token.LogProbReference));
            Assert.Equal((Number("kl_to_reference"), Number("log_z")), (token.KlToReference, token.LogZ));
            Assert.Equal((Number("logprob_aligned"), Number("kl_to_aligned"), Number("implicit_reward")),
                (token.Aligned.LogProb, token.Aligned.Kl, token.Aligned.ImplicitReward));
            CheckTop(said.GetProperty("top_reference"), token.TopReference);
            CheckTop(said.GetProperty("top_mixture"), token.TopMixture);
            CheckTop(said.GetProperty("top_aligned"), token.Aligned.Top);
        }
    }

    private static void CheckTop(JsonElement raw, IReadOnlyList<LikelyToken> top)
    {
        Assert.Equal(2, top.Count);
        Assert.Equal(raw.EnumerateArray().Select(one => one.GetProperty("id").GetInt32()), top.Select(one => one.Id));
        foreach (var (said, one) in raw.EnumerateArray().Zip(top)) Assert.Equal(said.GetProperty("logprob").GetDouble(), one.LogProb, 1e-6);
    }

    private static void CheckSums(JsonElement raw, MeasureSums sums)
    {
        double Number(string name) => raw.GetProperty(name).GetDouble();
        Assert.Equal((Number("logprob"), Number("logprob_reference")), (sums.LogProb, sums.LogProbReference));
        Assert.Equal((Number("kl_sequence"), Number("log_z")), (sums.KlToReference, sums.LogZ));
        Assert.Equal((Number("logprob_aligned"), Number("kl_to_aligned"), Number("implicit_reward")),
            (sums.Aligned.LogProb, sums.Aligned.Kl, sums.Aligned.ImplicitReward));
        Assert.Equal((null, "length"), (sums.LogWeight, sums.LogWeightUndefined));
    }
}
