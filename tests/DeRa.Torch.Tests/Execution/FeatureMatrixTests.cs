using DeRa.Engine;
using DeRa.Engine.Requests;
using DeRa.Engine.Scheduling;
using DeRa.Serving.Requests;
using DeRa.Testing;
using DeRa.Torch.Execution;
using Xunit;

namespace DeRa.Torch.Tests.Execution;

/// <summary>
/// Features of requests on real models, every two of them together at least once: each cell gives, alone and in a batch with all
/// others, the tokens of the rules written plainly over logits of a pass of its own. Where a choice lies within rounding of another
/// one, either is right.
/// </summary>
public class FeatureMatrixTests(ITestOutputHelper output)
{
    private static readonly CancellationToken Stop = TestContext.Current.CancellationToken;

    private static readonly Func<GenerationInput, GenerationInput>[][] Features =
    [
        [Plain, input => input with { FrequencyPenalty = 1, PresencePenalty = .5 }, input => input with { PresencePenalty = -1 }],
        [Plain, input => input with { LogProbs = 0 }, input => input with { LogProbs = 5, PromptLogProbs = 2 }],
        [Plain, input => input with { N = 3 }],
        [Plain, input => input with { Measures = 2 }],
        [Plain, input => input with { AllowedTokenIds = [2, 10, 97, 98, 99, 100, 101, 200, 299] }],
        [Plain, input => input with { Stop = ["b"] }, input => input with { StopTokenIds = [101, 40, 299], IncludeStop = true }],
        [input => input with { AlignmentStrength = 0 }, input => input with { AlignmentStrength = .5 },
            input => input with { AlignmentStrength = 1 }, input => input with { AlignmentStrength = 2.5 }],
        [Plain, input => input with { TypicalP = .4 }, input => input with { TopK = 30, TopP = .8, TypicalP = .9 },
            input => input with { MinP = .1 }, input => input with { Temperature = 0 }],
        [Plain, input => input with { MinTokens = 6 }, input => input with { BadWords = ["a", "cd", "dc"] },
            input => input with { MinTokens = 9, BadWords = ["bc", " e"], IgnoreEos = true }],
        [Plain, input => input with { LogitBias = new Dictionary<int, double> { [97] = 3, [257] = 2 } }],
    ];

    [Fact]
    public async Task Each_cell_alone_and_in_a_batch_gives_what_the_rules_say()
    {
        GenerationInput[] cells = [.. Pairwise.Cover([.. Features.Select(values => values.Length)])
            .Select((row, i) =>
                row.Select((value, feature) => Features[feature][value]).Aggregate(Prompt(i), (input, apply) => apply(input)))];
        Assert.InRange(cells.Length, 20, 60);
        using var fixture = new EngineFixture(
            GoldenPair.Load().Executor, options: new EngineOptions { MaxRunning = 12, MaxBatchTokens = 24 });
        using var oracle = GoldenPair.Load().Executor;
        var alone = new List<IReadOnlyList<ChoiceResult>>();
        foreach (var cell in cells) alone.Add(await fixture.ReadAsync(cell, Stop));
        var together = await Task.WhenAll(cells.Select(cell => fixture.ReadAsync(cell, Stop)));
        var ties = 0;
        for (var i = 0; i < cells.Length; i++)
        {
            var requests = fixture.Validator.Prepare(cells[i]).Choices;
            for (var choice = 0; choice < requests.Count; choice++)
            {
                var tied = Verify(oracle, requests[choice], alone[i][choice]) | Verify(oracle, requests[choice], together[i][choice]);
                if (!tied) AssertSame(alone[i][choice], together[i][choice]);
                ties += tied ? 1 : 0;
            }
        }
        output.WriteLine($"{cells.Length} cells, {ties} choices lay at a tie");
        Assert.InRange(ties, 0, 3);
    }

    private static GenerationInput Plain(GenerationInput input) => input;

    private static GenerationInput Prompt(int cell) => new()
    {
        Prompts = [new TokenPrompt([.. Enumerable.Range(0, 5 + cell % 20).Select(i => (i * 37 + cell * 11) % GoldenPair.VocabularySize)])],
        MaxTokens = 12,
        Seed = cell,
    };

    private static void AssertSame(ChoiceResult one, ChoiceResult other)
    {
        Assert.Equal(one.Tokens.Select(token => token.Token), other.Tokens.Select(token => token.Token));
        Assert.Equal((one.Text, one.FinishReason, one.StopString), (other.Text, other.FinishReason, other.StopString));
        foreach (var (left, right) in one.Tokens.Zip(other.Tokens))
            Assert.Equal(left.LogProbs?.LogProb ?? 0, right.LogProbs?.LogProb ?? 0, 1e-3);
    }

    /// <summary>Fails where a token is another one than the rules give; true where one lay within rounding of another.</summary>
    private static bool Verify(PairExecutor oracle, PreparedChoice choice, ChoiceResult found)
    {
        var request = choice.Request;
        int[] tokens = [.. request.PromptTokens, .. found.Tokens.Select(token => token.Token)];
        var mixtures = Mixtures(oracle, tokens, request.Strengths[0]);
        for (var at = request.PromptTokens.Count; at < tokens.Length; at++)
        {
            var row = new SamplingRow
            {
                Parameters = request.Sampling,
                NoiseKey = GumbelNoise.Key(request.Seed, request.ChoiceIndex, stream: 0, at),
                History = tokens.AsMemory(0, at),
                PromptTokens = request.PromptTokens.Count,
            };
            if (IsTie(ReferenceSampler.DistanceToBoundary(mixtures[at - 1], row), request)) return true;
            Assert.Equal(ReferenceSampler.Token(mixtures[at - 1], row), tokens[at]);
        }
        return false;
    }

    private static bool IsTie(SamplingDistance distance, GenerationRequest request)
    {
        var scale = Math.Abs(request.Strengths[0]) + Math.Abs(1 - request.Strengths[0]);
        return request.Sampling.Temperature == 0 ? distance.TopTwoLogits < 1e-4 * scale
            : Math.Min(distance.TopTwoScores, distance.Cut) < 1e-5 * scale;
    }

    /// <summary>The mixture after each token, up to a constant, which none of the features here can see.</summary>
    private static List<float[]> Mixtures(PairExecutor oracle, int[] tokens, double strength)
    {
        var row = new TestRow
        {
            Tokens = tokens,
            Position = 0,
            BlockTable = [.. Enumerable.Range(0, oracle.Limits.BlockCount)],
            Strengths = strength,
            ScoredTokens = new int[tokens.Length],
            ScoredAlternatives = GoldenPair.VocabularySize,
        };
        return [.. oracle.Run(row)[0].ScoredLogProbs.Select(scores =>
        {
            var logProbs = new float[GoldenPair.VocabularySize];
            foreach (var (token, logProb) in scores.Top) logProbs[token] = logProb;
            return logProbs;
        })];
    }
}
