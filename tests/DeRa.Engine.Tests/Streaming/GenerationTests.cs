using System.Text;
using DeRa.Engine.Requests;
using DeRa.Testing;
using Xunit;

namespace DeRa.Engine.Tests.Streaming;

public class GenerationTests
{
    private static readonly CancellationToken Stop = TestContext.Current.CancellationToken;

    /// <summary>An executor that writes a fixed text, then EOS.</summary>
    private static ScriptedExecutor Writes(string text, int promptTokens)
    {
        var bytes = Encoding.UTF8.GetBytes(text);
        return new ScriptedExecutor
        {
            Script = row => (row.Sampling!.History.Length - promptTokens) is var i && i < bytes.Length ? bytes[i] : ByteTokenizer.Eos,
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
        var executor = new ScriptedExecutor(contextTokens: 2048)
        {
            RowError = row => row.Position == 20 && row.BlockTable[0] == 0 ? "logits are not finite" : null,
        };
        using var fixture = new EngineFixture(executor);
        var failure = await Assert.ThrowsAsync<GenerationFailedException>(
            () => fixture.ReadAsync(Input() with { N = 3, MaxTokens = 500, IgnoreEos = true }, Stop));
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

    /// <summary>Returns once no block is in use: a request that runs after the cancelled ones shows that their commit is done.</summary>
    private static async Task Blocks(EngineFixture fixture)
    {
        for (var i = 0; i < 100 && fixture.Engine.Status.BlocksInUse > 0; i++)
            await fixture.RunAsync(new GenerationRequest { PromptTokens = [1], MaxTokens = 1, Strengths = 1, Seed = 0 }, Stop);
        Assert.Equal(0, fixture.Engine.Status.BlocksInUse);
    }
}
