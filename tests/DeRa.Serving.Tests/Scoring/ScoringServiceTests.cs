using DeRa.Serving.Requests;
using DeRa.Serving.Scoring;
using DeRa.Serving.Streaming;
using DeRa.Testing;
using DeRa.Text.Chat;
using Xunit;

namespace DeRa.Serving.Tests.Scoring;

public sealed class ScoringServiceTests
{
    private static readonly double[] s_sweep = [-1, 0, .25, .5, .75, 1, 1.5, 2, 5, 10];

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task What_was_generated_scores_what_it_had_when_it_was()
    {
        var pair = await LoadedPair.DefaultAsync();
        using var _ = pair.Engine;
        var scoring = new ScoringService(pair);
        for (var i = 0; i < s_sweep.Length; i++)
        {
            int[] prompt = [3, 1, 4, 1, 5];
            var (tokens, logProbs) = await GenerateAsync(pair, prompt, s_sweep[i]);
            var item = new ScoreItem(new TokenPrompt(prompt), new TokenPrompt(tokens), "items[0]");
            var scores = (await scoring.RunAsync(scoring.Prepare(Input(item)), Stop))[0];
            Assert.Equal(tokens, scores.Tokens.Select(token => token.Token));
            var tolerance = 1e-5 * (Math.Abs(s_sweep[i]) + Math.Abs(1 - s_sweep[i]));
            foreach (var (expected, token) in logProbs.Zip(scores.Tokens)) Assert.Equal(expected, token.LogProbs[i], tolerance);
            Assert.Equal(scores.LogProb(Array.IndexOf(s_sweep, 0)), scores.LogProbOfModel(0), 1e-4);
            Assert.Equal(scores.LogProb(Array.IndexOf(s_sweep, 1)), scores.LogProbOfModel(1), 1e-4);
            Assert.Equal(0, scores.KlToReference(Array.IndexOf(s_sweep, 0)), 1e-5);
            Assert.Equal(Math.Exp(-scores.LogProb(i) / tokens.Length), scores.Perplexity(i), 1e-9);
        }
    }

    [Fact]
    public async Task A_text_s_continuation_is_the_tokens_that_its_prompt_does_not_have()
    {
        using var fixture = new EngineFixture(new ScriptedExecutor());
        var scoring = new ScoringService(Pair(fixture));
        var items = new[]
        {
            new ScoreItem(new TextPrompt("ab"), new TextPrompt("cde"), "items[0]"),
            new ScoreItem(new TextPrompt("ab"), new TokenPrompt([120]), "items[1]"),
            new ScoreItem(new ChatPrompt([new ChatMessage("user", "Hi"), new ChatMessage("assistant", "yes")]), null, "items[2].messages"),
        };
        var scores = await scoring.RunAsync(scoring.Prepare(Input(items)), Stop);
        Assert.Equal([99, 100, 101], scores[0].Tokens.Select(token => token.Token));
        Assert.Equal([120], scores[1].Tokens.Select(token => token.Token));
        Assert.EndsWith("yes", fixture.Tokenizer.Decode([.. scores[2].Tokens.Select(token => token.Token)]));
        Assert.InRange(scores[2].Tokens.Count, 3, 4); // the plain template leaves the space before an answer to the answer
        Assert.Equal(0, fixture.Engine.Status.BlocksInUse);
    }

    [Fact]
    public void What_cannot_be_scored_is_refused_by_field()
    {
        using var fixture = new EngineFixture(new ScriptedExecutor());
        var scoring = new ScoringService(Pair(fixture));
        var item = new ScoreItem(new TextPrompt("ab"), new TextPrompt("c"), "items[0]");
        Refused("items", Input());
        Refused("alignment_sweep", Input(item) with { Sweep = [] });
        Refused("alignment_sweep[1]", Input(item) with { Sweep = [Strength(0, 1), Strength(1, 11)] });
        Refused("alignment_sweep[0].other", Input(item) with
        {
            Sweep = [new(null, new Dictionary<string, double> { ["other"] = 1 }, "alignment_sweep[0]")],
        });
        Refused("items[0]", Input(item with { Continuation = new TextPrompt("") }));
        Refused("model", Input(item) with { Model = "nobody" });
        Refused("items[0].messages", Input(new ScoreItem(
            new ChatPrompt([new ChatMessage("user", "Hi")], "items[0].messages"), null, "items[0].messages")));
        Refused("items[0]", Input(item with { Continuation = new TextPrompt(new string('x', 300)) }));

        void Refused(string field, ScoreInput input) =>
            Assert.Equal(field, Assert.Throws<InvalidRequestException>(() => scoring.Prepare(input)).Field);
    }

    [Fact]
    public void More_than_the_cache_holds_or_than_can_be_held_until_the_response_is_refused()
    {
        using var small = new EngineFixture(new ScriptedExecutor(contextTokens: 256, blockTokens: 8, blockCount: 4));
        var item = new ScoreItem(new TextPrompt("ab"), new TextPrompt(new string('x', 40)), "items[0]");
        Assert.Equal("items[0]", Assert.Throws<InvalidRequestException>(() => new ScoringService(Pair(small)).Prepare(Input(item))).Field);
        using var fixture = new EngineFixture(new ScriptedExecutor());
        var many = Input([.. Enumerable.Repeat(item with { Continuation = new TextPrompt(new string('x', 200)) }, 21)]) with
        {
            Sweep = [.. Enumerable.Range(0, 1000).Select(place => Strength(place, place / 1000.0))],
        };
        var refusal = Assert.Throws<InvalidRequestException>(() => new ScoringService(Pair(fixture)).Prepare(many));
        Assert.Equal("alignment_sweep", refusal.Field);
        Assert.Contains("4200000", refusal.Message);
    }

    [Fact]
    public async Task A_deadline_ends_what_still_runs()
    {
        var executor = new ScriptedExecutor();
        using var fixture = new EngineFixture(executor);
        var scoring = new ScoringService(Pair(fixture));
        var prepared = scoring.Prepare(Input(new ScoreItem(new TextPrompt("ab"), new TextPrompt("c"), "items[0]"))) with
        {
            Deadline = TimeSpan.FromMilliseconds(1),
        };
        executor.BeforeStep = _ => executor.TestOver.WaitHandle.WaitOne();
        await Assert.ThrowsAsync<DeadlineExceededException>(() => scoring.RunAsync(prepared, Stop));
        executor.EndTest();
    }

    private static ScoreInput Input(params ScoreItem[] items) =>
        new() { Items = items, Sweep = [.. s_sweep.Select((strength, i) => Strength(i, strength))] };

    private static SweepStrength Strength(int place, double strength) => new(strength, null, $"alignment_sweep[{place}]");

    private static ServedPair Pair(EngineFixture fixture) => new()
    {
        Names = new ServedNames("pair", ["aligned"]),
        Tokenizer = fixture.Tokenizer,
        Validator = fixture.Validator,
        Engine = fixture.Engine,
        LoadedAt = DateTimeOffset.UnixEpoch,
    };

    private static async Task<(int[] Tokens, double[] LogProbs)> GenerateAsync(ServedPair pair, int[] prompt, double strength)
    {
        var service = new GenerationService(pair);
        using var generation = service.Start(service.Prepare(new GenerationInput
        {
            Prompts = [new TokenPrompt(prompt)],
            AlignmentStrength = strength,
            MaxTokens = 12,
            Temperature = 1,
            Seed = 5,
            LogProbs = 0,
            IgnoreEos = true,
        }));
        var choice = Assert.Single(await WholeChoice.ReadAsync(generation, Stop));
        return ([.. choice.Tokens.Select(token => token.Token)], [.. choice.Tokens.Select(token => (double)token.LogProbs!.LogProb)]);
    }
}
