using System.Text;
using DeRa.Engine;
using DeRa.Engine.Requests;
using DeRa.Serving.Requests;
using DeRa.Serving.Streaming;
using DeRa.Testing;
using Microsoft.Extensions.Time.Testing;
using Xunit;

namespace DeRa.Serving.Tests.Streaming;

public class GenerationTests
{
    private static readonly CancellationToken Stop = TestContext.Current.CancellationToken;

    /// <summary>An executor that writes a fixed text, then EOS.</summary>
    private static ScriptedExecutor Writes(string text, int promptTokens)
    {
        var bytes = Encoding.UTF8.GetBytes(text);
        return new ScriptedExecutor
        {
            // A step that runs while its text ends finds no history any more.
            Script = readout => readout.Sampling!.Value.History.Length - promptTokens is >= 0 and var i && i < bytes.Length
                ? bytes[i] : ByteTokenizer.Eos,
        };
    }

    private static GenerationInput Input(string prompt = "ab") => new() { Prompts = [new TextPrompt(prompt)], MaxTokens = 100 };

    [Fact]
    public async Task Characters_are_never_split_over_pieces()
    {
        const string text = "naïve 👩‍👩‍👧 漢字";
        using var fixture = new EngineFixture(Writes(text, 3));
        var choice = (await fixture.ReadAsync(Input(), Stop))[0];
        Assert.Equal(text, choice.Text);
        Assert.All(choice.Pieces, piece => Assert.DoesNotContain('\uFFFD', piece));
        Assert.All(choice.Pieces, piece => Assert.Equal(piece, Encoding.UTF8.GetString(Encoding.UTF8.GetBytes(piece))));
        Assert.Equal(FinishReason.Stop, choice.FinishReason);
    }

    [Fact]
    public async Task A_stop_string_ends_the_text_before_it_and_no_token_of_it_comes_out()
    {
        using var fixture = new EngineFixture(Writes("one two three four", 3));
        var choice = (await fixture.ReadAsync(Input() with { Stop = ["thr"] }, Stop))[0];
        Assert.Equal("one two ", choice.Text);
        Assert.Equal("thr", choice.StopString);
        Assert.Equal(FinishReason.Stop, choice.FinishReason);
        Assert.Equal("one two ", Encoding.UTF8.GetString([.. choice.Tokens.Select(token => (byte)token.Token)]));
        await Blocks(fixture);
    }

    [Theory]
    [InlineData(3, "ab", "n")]
    [InlineData(null, "ten letters", "prompt")]
    public void What_the_queue_could_never_hold_names_the_field_at_fault(int? n, string prompt, string field)
    {
        using var fixture = new EngineFixture(new ScriptedExecutor(), options: new EngineOptions { MaxQueued = 2, MaxQueuedTokens = 9 });
        var refused = Assert.Throws<InvalidRequestException>(() => fixture.Start(Input(prompt) with { N = n }));
        Assert.Equal(field, refused.Field);
    }

    /// <summary>Text and between its parts the token <c>&lt;s&gt;</c>, which is special and ends nothing.</summary>
    private static ScriptedExecutor WritesWithTokens(params string[] parts)
    {
        var tokens = parts.SelectMany((part, i) => i == 0 ? [] : new[] { ByteTokenizer.Bos }
            .Concat(Encoding.UTF8.GetBytes(part).Select(value => (int)value))).ToList();
        tokens.InsertRange(0, Encoding.UTF8.GetBytes(parts[0]).Select(value => (int)value));
        return new ScriptedExecutor
        {
            Script = readout => (readout.Sampling!.Value.History.Length - 3) is var i && i < tokens.Count ? tokens[i] : ByteTokenizer.Eos,
        };
    }

    [Theory]
    [InlineData("<s>", "ab", "97,98")]
    [InlineData("b<s>", "a", "97")]
    [InlineData("<s>\n", "ab", "97,98")]
    [InlineData("<s>\n<s>", "ab", "97,98")]
    [InlineData("<s><s>", "ab\ncd", "97,98,256,10,256,99,100")] // Two in a row come after these.
    public async Task A_special_token_that_a_stop_string_spells_ends_the_text_and_no_token_of_it_comes_out(
        string stop, string text, string tokens)
    {
        foreach (var skips in (bool[])[true, false])
        {
            using var fixture = new EngineFixture(WritesWithTokens("ab", "\n", "cd", "", "e"));
            var choice = (await fixture.ReadAsync(Input() with { Stop = [stop], SkipSpecialTokens = skips, LogProbs = 0 }, Stop))[0];
            Assert.Equal(skips ? text : text.Replace("\n", "<s>\n<s>", StringComparison.Ordinal), choice.Text);
            Assert.Equal((stop, FinishReason.Stop), (choice.StopString, choice.FinishReason));
            Assert.Equal(tokens, string.Join(',', choice.Tokens.Select(token => token.Token)));
        }
    }

    [Theory]
    [InlineData("<s>", "ab<s>", "0,1,2")]
    [InlineData("b<s>\n", "ab<s>\n", "0,1,2,5")]
    [InlineData("<s>\n<s>c", "ab<s>\n<s>c", "0,1,2,5,6,9")]
    [InlineData("cd", "ab\ncd", "0,1,2,2,3,3,4")]
    public async Task A_stop_string_with_a_special_token_is_spelled_out_where_it_is_part_of_the_text(
        string stop, string text, string offsets)
    {
        using var fixture = new EngineFixture(WritesWithTokens("ab", "\n", "cd"));
        var choice = (await fixture.ReadAsync(Input() with { Stop = [stop], IncludeStop = true, LogProbs = 0 }, Stop))[0];
        Assert.Equal((text, stop), (choice.Text, choice.StopString));
        Assert.Equal(offsets, string.Join(',', choice.Tokens.Select(token => token.TextOffset)));
    }

    [Fact]
    public async Task Special_tokens_that_began_a_stop_string_come_out_where_it_does_not_go_on()
    {
        using var fixture = new EngineFixture(WritesWithTokens("ab", "\n", "cd"));
        var choice = (await fixture.ReadAsync(Input() with { Stop = ["<s>c<s>", "<s>\n\n", "s", "<", "d<s>"] }, Stop))[0];
        Assert.Equal(("ab\ncd", null), (choice.Text, choice.StopString));
        Assert.Equal(["a", "b", "\n", "c", "d"], choice.Pieces.Where(piece => piece.Length > 0));
        Assert.Equal([97, 98, 256, 10, 256, 99, 100, ByteTokenizer.Eos], choice.Tokens.Select(token => token.Token));
    }

    [Fact]
    public async Task A_special_token_counts_from_min_tokens_on()
    {
        using var fixture = new EngineFixture(WritesWithTokens("ab", "cd", "ef"));
        var choice = (await fixture.ReadAsync(Input() with { Stop = ["<s>"], MinTokens = 3 }, Stop))[0];
        Assert.Equal(("abcd", "<s>"), (choice.Text, choice.StopString));
    }

    [Fact]
    public async Task An_ignored_end_of_sequence_token_is_a_stop_string_where_one_spells_it()
    {
        using var fixture = new EngineFixture(Writes("ab", 3));
        var input = Input() with { Stop = ["</s>"], IgnoreEos = true };
        var choice = (await fixture.ReadAsync(input, Stop))[0];
        Assert.Equal(("ab", "</s>", FinishReason.Stop), (choice.Text, choice.StopString, choice.FinishReason));
        // One that is not ignored ends the answer by itself, as it does without the stop string.
        var ended = (await fixture.ReadAsync(input with { IgnoreEos = false }, Stop))[0];
        Assert.Equal(("ab", null, ByteTokenizer.Eos), (ended.Text, ended.StopString, ended.Tokens[^1].Token));
    }

    [Fact]
    public async Task A_models_own_stop_strings_spell_special_tokens_too()
    {
        using var fixture = new EngineFixture(WritesWithTokens("ab", "cd"), defaults: new GenerationDefaults { StopStrings = ["<s>"] });
        Assert.Equal(("ab", "<s>"),
            ((await fixture.ReadAsync(Input(), Stop))[0] is var choice ? (choice.Text, choice.StopString) : default));
    }

    [Fact]
    public async Task What_may_begin_a_stop_string_is_held_back_and_released_when_it_does_not()
    {
        using var fixture = new EngineFixture(Writes("a<b<c<d", 3));
        var choice = (await fixture.ReadAsync(Input() with { Stop = ["<stop>"] }, Stop))[0];
        Assert.Equal("a<b<c<d", choice.Text);
        Assert.DoesNotContain("<", choice.Pieces);
        Assert.Equal([.. "a<b<c<d"u8, ByteTokenizer.Eos], choice.Tokens.Select(token => token.Token));
    }

    [Fact]
    public async Task Offsets_count_characters_from_the_start_of_the_text()
    {
        using var fixture = new EngineFixture(Writes("é😀x", 3));
        var choice = (await fixture.ReadAsync(Input() with { LogProbs = 0 }, Stop))[0];
        Assert.Equal([0, 0, 1, 1, 1, 1, 2, 3], choice.Tokens.Select(token => token.TextOffset));
        Assert.All(choice.Tokens, token => Assert.NotNull(token.LogProbs));
    }

    [Fact]
    public async Task Echo_returns_the_prompt_scored_and_then_the_completion()
    {
        using var fixture = new EngineFixture(Writes("cd", 3));
        var choice = (await fixture.ReadAsync(Input() with { Echo = true, LogProbs = 1 }, Stop))[0];
        Assert.Equal("abcd", choice.Text);
        Assert.Equal([256, 'a', 'b', 'c', 'd', 257], choice.Tokens.Select(token => token.Token));
        Assert.Equal([true, true, true, false, false, false], choice.Tokens.Select(token => token.IsPrompt));
        Assert.Equal([0, 0, 1, 2, 3, 4], choice.Tokens.Select(token => token.TextOffset));
        Assert.Equal([true, false, false, false, false, false], choice.Tokens.Select(token => token.LogProbs is null));
    }

    [Fact]
    public async Task Echo_without_log_probabilities_returns_the_prompt_too()
    {
        using var fixture = new EngineFixture(Writes("cd", 3));
        Assert.Equal("abcd", (await fixture.ReadAsync(Input() with { Echo = true }, Stop))[0].Text);
        Assert.Equal("ab", (await fixture.ReadAsync(Input() with { Echo = true, MaxTokens = 0 }, Stop))[0].Text);
    }

    [Fact]
    public async Task A_stop_string_in_an_echoed_prompt_does_not_stop()
    {
        using var fixture = new EngineFixture(Writes("cd", 3));
        Assert.Equal("abcd", (await fixture.ReadAsync(Input() with { Echo = true, Stop = ["ab"] }, Stop))[0].Text);
    }

    [Fact]
    public async Task Choices_differ_and_each_equals_its_own_run()
    {
        using var fixture = new EngineFixture(new ScriptedExecutor());
        var input = Input() with { Seed = 5, MaxTokens = 12, IgnoreEos = true };
        var three = await fixture.ReadAsync(input with { N = 3 }, Stop);
        var one = await fixture.ReadAsync(input, Stop);
        Assert.Equal(one[0].Tokens, three[0].Tokens);
        Assert.Equal(3, three.Select(choice => string.Join(',', choice.Tokens)).Distinct().Count());
    }

    [Fact]
    public async Task Leaving_early_cancels_every_choice()
    {
        using var fixture = new EngineFixture(new ScriptedExecutor(contextTokens: 2048));
        using (var generation = fixture.Start(Input() with { N = 4, MaxTokens = 900, IgnoreEos = true }))
            await foreach (var _ in generation.ReadAsync(Stop)) break;
        await Blocks(fixture);
    }

    [Fact]
    public async Task Cancelling_the_reader_cancels_every_choice()
    {
        using var fixture = new EngineFixture(new ScriptedExecutor(contextTokens: 2048));
        using var client = CancellationTokenSource.CreateLinkedTokenSource(Stop);
        using var generation = fixture.Start(Input() with { N = 4, MaxTokens = 900, IgnoreEos = true });
        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () =>
        {
            await foreach (var _ in generation.ReadAsync(client.Token)) await client.CancelAsync();
        });
        await Blocks(fixture);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public async Task A_reader_that_is_cancelled_gets_nothing_more_of_what_is_already_there(int n)
    {
        using var fixture = new EngineFixture(new ScriptedExecutor());
        using var left = CancellationTokenSource.CreateLinkedTokenSource(Stop);
        using var generation = fixture.Start(Input() with { N = n, MaxTokens = 50, IgnoreEos = true });
        // All of it is generated before anybody reads.
        while (fixture.Engine.Status is { RunningSequences: > 0 } or { QueuedSequences: > 0 }) await Task.Yield();
        var pieces = 0;
        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () =>
        {
            await foreach (var piece in generation.ReadAsync(left.Token))
                if (++pieces == 3) await left.CancelAsync();
        });
        Assert.InRange(pieces, 3, 3 + (n == 1 ? 0 : 64));
    }

    [Fact]
    public async Task Disposing_an_unread_generation_cancels_it()
    {
        using var fixture = new EngineFixture(new ScriptedExecutor(contextTokens: 2048));
        fixture.Start(Input() with { MaxTokens = 1900, IgnoreEos = true }).Dispose();
        await Blocks(fixture);
    }

    [Fact]
    public async Task A_choice_that_fails_ends_the_reading_and_cancels_the_others()
    {
        var failing = GumbelNoise.Key(seed: 5, choiceIndex: 0, stream: 0, position: 21);
        var executor = new ScriptedExecutor(contextTokens: 2048)
        {
            ReadoutError = readout => readout.Sampling!.Value.NoiseKey == failing ? "logits are not finite" : null,
        };
        using var fixture = new EngineFixture(executor);
        var failure = await Assert.ThrowsAsync<GenerationFailedException>(
            () => fixture.ReadAsync(Input() with { N = 3, MaxTokens = 500, IgnoreEos = true, Seed = 5 }, Stop));
        Assert.Contains("not finite", failure.Message);
        await Blocks(fixture);
    }

    [Fact]
    public async Task Tokens_generated_are_counted_over_all_choices()
    {
        using var fixture = new EngineFixture(Writes("abc", 3));
        using var generation = fixture.Start(Input() with { N = 2 });
        await EngineFixture.ReadAsync(generation, Stop);
        Assert.Equal(8, generation.CompletionTokens);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    public async Task A_deadline_ends_the_reading_though_the_models_hang(int choices)
    {
        using var hold = new SemaphoreSlim(0);
        var (executor, time) = (new ScriptedExecutor(), new FakeTimeProvider());
        executor.BeforeStep = _ => hold.Wait(executor.TestOver);
        using var fixture = new EngineFixture(executor, limits: Limited, time: time);
        using var generation = fixture.Start(Input() with { N = choices });
        var reading = EngineFixture.ReadAsync(generation, Stop);
        time.Advance(TimeSpan.FromSeconds(11));
        await Assert.ThrowsAsync<DeadlineExceededException>(() => reading);
        executor.BeforeStep = null;
        hold.Release(100);
        await Blocks(fixture);
    }

    [Fact]
    public async Task A_choice_that_ended_before_the_deadline_is_read_to_its_end_after_it()
    {
        var time = new FakeTimeProvider();
        using var fixture = new EngineFixture(Writes("abc", 3), limits: Limited, time: time);
        using var generation = fixture.Start(Input());
        // One that takes longer, in the same batch.
        await fixture.RunAsync(new GenerationRequest { PromptTokens = [256, 'a', 'b'], MaxTokens = 20, Strengths = 1, Seed = 0 }, Stop);
        var text = "";
        await foreach (var delta in generation.ReadAsync(Stop))
        {
            time.Advance(TimeSpan.FromSeconds(11));
            text += delta.Text;
        }
        Assert.Equal("abc", text);
    }

    [Fact]
    public async Task What_a_stopped_choice_has_made_comes_out()
    {
        using var fixture = new EngineFixture(new ScriptedExecutor(contextTokens: 2048), limits: Limited, time: new FakeTimeProvider());
        using var generation = fixture.Start(Input() with { MaxTokens = 1900, IgnoreEos = true });
        var reasons = new List<FinishReason?>();
        await foreach (var delta in generation.ReadAsync(Stop))
        {
            generation.Stop();
            reasons.Add(delta.FinishReason);
        }
        Assert.Equal(FinishReason.Cancelled, reasons[^1]);
        await Blocks(fixture);
    }

    private static RequestLimits Limited => new() { MaxDuration = TimeSpan.FromSeconds(10) };

    /// <summary>Returns once no block is in use: a request that runs after the cancelled ones shows that their commit is done.</summary>
    private static async Task Blocks(EngineFixture fixture)
    {
        for (var i = 0; i < 100 && fixture.Engine.Status.BlocksInUse > 0; i++)
            await fixture.RunAsync(new GenerationRequest { PromptTokens = [1], MaxTokens = 1, Strengths = 1, Seed = 0 }, Stop);
        Assert.Equal(0, fixture.Engine.Status.BlocksInUse);
    }
}
