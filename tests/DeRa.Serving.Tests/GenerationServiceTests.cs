using DeRa.Engine.Requests;
using DeRa.Serving.Requests;
using DeRa.Serving.Streaming;
using DeRa.Testing;
using Xunit;

namespace DeRa.Serving.Tests;

public class GenerationServiceTests
{
    private static readonly CancellationToken Stop = TestContext.Current.CancellationToken;

    private static GenerationService Service(EngineFixture fixture) => new(new ServedPair
    {
        Names = new ServedNames("pair", ["aligned"]),
        Tokenizer = fixture.Tokenizer,
        Validator = fixture.Validator,
        Engine = fixture.Engine,
        LoadedAt = DateTimeOffset.UnixEpoch,
    });

    private static GenerationInput Input() => new() { Prompts = [new TextPrompt("ab")], MaxTokens = 3, N = 2, Seed = 7 };

    private static ScriptedExecutor Writes(char letter) => new() { Script = _ => letter };

    [Fact]
    public async Task A_prepared_request_runs_and_is_read_whole()
    {
        using var fixture = new EngineFixture(Writes('x'));
        var service = Service(fixture);
        using var generation = service.Start(service.Prepare(Input()));
        var choices = await WholeChoice.ReadAsync(generation, Stop);
        Assert.Equal(["xxx", "xxx"], choices.Select(choice => choice.Text));
        Assert.All(choices, choice => Assert.Equal(FinishReason.Length, choice.FinishReason));
    }

    [Fact]
    public async Task What_is_read_whole_is_what_is_read_in_pieces()
    {
        using var fixture = new EngineFixture(Writes('x'));
        var service = Service(fixture);
        using var whole = service.Start(service.Prepare(Input()));
        using var pieces = service.Start(service.Prepare(Input()));
        var texts = (await EngineFixture.ReadAsync(pieces, Stop)).Select(choice => choice.Text);
        Assert.Equal((await WholeChoice.ReadAsync(whole, Stop)).Select(choice => choice.Text), texts);
    }

    [Fact]
    public async Task Of_more_candidates_the_best_come_back_without_the_scores_that_nobody_asked_for()
    {
        using var fixture = new EngineFixture(Writes('x'));
        var service = Service(fixture);
        using var generation = service.Start(service.Prepare(Input() with { BestOf = 4 }));
        var choices = await WholeChoice.ReadAsync(generation, Stop);
        Assert.Equal(2, choices.Count);
        Assert.All(choices.SelectMany(choice => choice.Tokens), token => Assert.Null(token.LogProbs));
    }

    [Fact]
    public void A_wrong_request_is_refused_before_anything_runs()
    {
        using var fixture = new EngineFixture(Writes('x'));
        var fault = Assert.Throws<InvalidRequestException>(() => Service(fixture).Prepare(Input() with { N = 0 }));
        Assert.Equal("n", fault.Field);
    }

    [Fact]
    public void A_change_of_strength_is_checked_as_a_request_is()
    {
        using var fixture = new EngineFixture(Writes('x'));
        var service = Service(fixture);
        using var generation = service.Start(service.Prepare(Input()));
        var fault = Assert.Throws<InvalidRequestException>(() => service.ChangeStrengths(generation, 1000, null));
        Assert.Equal("alignment_strength", fault.Field);
        Assert.Throws<InvalidRequestException>(() => service.ChangeStrengths(generation, null, null));
    }

    [Fact]
    public async Task Time_that_has_passed_before_the_start_counts_against_the_deadline()
    {
        using var fixture = new EngineFixture(Writes('x'));
        var service = Service(fixture);
        var prepared = service.Prepare(Input() with { TimeoutSeconds = 1 });
        Assert.Equal(TimeSpan.FromSeconds(1), prepared.Request.Deadline);
        using var late = service.Start(prepared, TimeSpan.FromSeconds(2));
        await Assert.ThrowsAsync<DeadlineExceededException>(() => WholeChoice.ReadAsync(late, Stop));
    }
}
