using DeRa.Engine;
using DeRa.Engine.Requests;
using DeRa.Engine.Scheduling;
using DeRa.Testing;
using DeRa.Torch.Execution;
using DeRa.Torch.Tests.Decoding;
using Xunit;

namespace DeRa.Torch.Tests.Execution;

/// <summary>Models whose logits are set by hand, through the real engine: what is drawn and what is scored is what they say.</summary>
public sealed class HandSetLogitsTests : IDisposable
{
    /// <summary>A logit so low that the token never comes.</summary>
    private const double Never = -1e4;

    private readonly List<IDisposable> _disposables = [];

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public void Dispose()
    {
        for (var i = _disposables.Count - 1; i >= 0; i--) _disposables[i].Dispose();
    }

    public static TheoryData<double, double[]> OneToken { get; } = new()
    {
        { 0, [.665241, .244728, .090031] },
        { .5, [.274069, .274069, .451863] },
        { 1, [.042010, .114195, .843795] },
        { 2, [.000333, .006691, .992976] },
        { -.5, [.872262, .118048, .009690] },
    };

    [Theory, MemberData(nameof(OneToken))]
    public async Task One_token_is_drawn_and_scored_by_the_mixture(double strength, double[] expected)
    {
        var engine = Start([Table([2, 1, 0]), Table([0, 1, 3])]);
        var counts = new int[3];
        foreach (var tokens in await DrawAsync(engine, strength, count: 2000, length: 1)) counts[tokens[0]]++;
        DrawLaw.AssertFollow(expected, counts);
        for (var token = 0; token < 3; token++)
            Assert.Equal(expected[token], Math.Exp((await ScoreAsync(engine, [3, token], 1, [strength]))[0].LogProbs[0]), 1e-6);
    }

    [Fact]
    public async Task Three_models_are_drawn_and_scored_by_their_own_strengths()
    {
        var engine = Start([Table([2, 1, 0]), Table([0, 1, 3]), Table([1, 3, 0])]);
        var (strengths, expected) = (new AlignmentStrengths(.5, .25), (double[])[.191058, .404471, .404471]);
        var counts = new int[3];
        foreach (var tokens in await DrawAsync(engine, strengths, count: 2000, length: 1)) counts[tokens[0]]++;
        DrawLaw.AssertFollow(expected, counts);
        for (var token = 0; token < 3; token++)
            Assert.Equal(expected[token], Math.Exp((await ScoreAsync(engine, [3, token], 1, [strengths]))[0].LogProbs[0]), 1e-6);
    }

    /// <summary>The reference is uniform; the aligned model has aa .45, ab .05, ba .25 and bb .25.</summary>
    public static TheoryData<double, Speculation, double[]> TwoTokens { get; } = new()
    {
        { 0, Speculation.Off, [.25, .25, .25, .25] },
        { .5, Speculation.Off, [.3750, .1250, .25, .25] },
        { .5, Speculation.On, [.3750, .1250, .25, .25] },
        { 1, Speculation.Off, [.45, .05, .25, .25] },
        { 2, Speculation.Off, [.4939, .0061, .25, .25] },
        { 2, Speculation.On, [.4939, .0061, .25, .25] },
    };

    [Theory, MemberData(nameof(TwoTokens))]
    public async Task Two_tokens_are_drawn_and_scored_token_by_token(double strength, Speculation speculation, double[] expected)
    {
        double[] uniform = [0, 0, Never];
        var engine = Start(
            [[uniform, uniform, uniform], [[Math.Log(.9), Math.Log(.1), Never], uniform, uniform]], speculation);
        var counts = new int[4];
        foreach (var tokens in await DrawAsync(engine, strength, count: 3000, length: 2)) counts[2 * tokens[0] + tokens[1]]++;
        DrawLaw.AssertFollow(expected, counts);
        for (var pair = 0; pair < 4; pair++)
        {
            var scores = await ScoreAsync(engine, [2, pair / 2, pair % 2], 1, [strength]);
            Assert.Equal(expected[pair], Math.Exp(scores.Sum(score => score.LogProbs[0])), 5e-5);
        }
    }

    [Fact]
    public async Task Scores_of_three_models_at_many_strengths_are_float64s()
    {
        const int size = 60;
        var random = new Random(4);
        double[][][] tables = [.. Enumerable.Range(0, 3).Select(_ => Enumerable.Range(0, size)
            .Select(_ => Enumerable.Range(0, size).Select(_ => (double)(8 * random.NextSingle() - 4)).ToArray()).ToArray())];
        AlignmentStrengths[] sweep =
            [.. Enumerable.Range(0, 40).Select(i => new AlignmentStrengths(i / 10.0 - 1, 1.5 - i / 15.0)), 0, 1, new(0, 1), new(.5, .5)];
        int[] tokens = [.. Enumerable.Range(0, 50).Select(_ => random.Next(size))];
        var found = await ScoreAsync(Start(tables), tokens, 5, sweep);
        Assert.Equal(tokens[5..], found.Select(score => score.Token));
        foreach (var (place, score) in found.Index())
        {
            var (before, token) = (tokens[place + 4], tokens[place + 5]);
            var models = Array.ConvertAll(tables, table => LogProbs(table[before]));
            for (var model = 0; model < 3; model++) Assert.Equal(models[model][token], score.OfModels[model], 1e-5);
            foreach (var (i, strengths) in sweep.Index())
            {
                var mixed = LogProbs([.. Enumerable.Range(0, size).Select(v =>
                    Enumerable.Range(0, 3).Sum(model => strengths.OfMember(model) * tables[model][before][v]))]);
                var tolerance = 1e-5 * Enumerable.Range(0, 3).Sum(model => Math.Abs(strengths.OfMember(model)));
                Assert.Equal(mixed[token], score.LogProbs[i], tolerance);
                Assert.Equal(mixed.Zip(models[0], (p, q) => Math.Exp(p) * (p - q)).Sum(), score.KlToReference[i], 2 * tolerance);
            }
        }
    }

    [Fact]
    public async Task Log_probabilities_of_drawn_tokens_are_what_they_score()
    {
        var engine = Start([Table([2, 1, 0]), Table([0, 1, 3])]);
        AlignmentStrengths[] sweep = [-1, 0, .5, 1, 3];
        foreach (var (i, strength) in sweep.Index())
        {
            var drawn = await GeneratedAsync(engine.Submit([Request(strength, seed: i, length: 12) with { LogProbs = 0 }])[0]);
            var scores = await ScoreAsync(engine, [3, .. drawn.Select(token => token.Token)], 1, sweep);
            foreach (var (token, score) in drawn.Zip(scores)) Assert.Equal(token.LogProbs!.LogProb, score.LogProbs[i], 1e-5);
        }
    }

    /// <summary>The same logits after every token; the last of four never comes.</summary>
    private static double[][] Table(double[] logits) => [.. Enumerable.Repeat<double[]>([.. logits, Never], 4)];

    private GenerationEngine Start(double[][][] tables, Speculation speculation = Speculation.Auto)
    {
        TemporaryFolder[] folders = [.. tables.Select(BigramModel.Write)];
        _disposables.AddRange(folders);
        var pair = GoldenPair.Load(GoldenPair.Options() with
        {
            ReferencePath = folders[0].Path,
            Aligned = [.. folders.Skip(1).Select((folder, i) => new AlignedFolder($"aligned{i}", folder.Path))],
            CacheTokens = 8192,
            LogitSlots = new EngineOptions().LogitSlots(tables.Length),
        }, tables[0].Length);
        var fixture = new EngineFixture(pair.Executor, options: new EngineOptions { MaxQueued = 4000, Speculation = speculation });
        _disposables.Add(fixture);
        return fixture.Engine;
    }

    /// <summary>After the last token of the vocabulary.</summary>
    private static GenerationRequest Request(AlignmentStrengths strengths, int seed, int length) =>
        new() { PromptTokens = [3], MaxTokens = length, Strengths = strengths, Seed = seed };

    private static async Task<IReadOnlyList<int[]>> DrawAsync(GenerationEngine engine, AlignmentStrengths strengths, int count, int length)
    {
        var begin = engine.Limits.VocabularySize - 1;
        var handles = engine.Submit([.. Enumerable.Range(0, count).Select(seed => Request(strengths, seed, length) with
        {
            PromptTokens = [begin],
        })]);
        var drawn = new List<int[]>();
        foreach (var handle in handles) drawn.Add([.. (await GeneratedAsync(handle)).Select(token => token.Token)]);
        return drawn;
    }

    private static async Task<IReadOnlyList<TokenGenerated>> GeneratedAsync(GenerationHandle handle) =>
        await handle.Events.ReadAllAsync(Stop).OfType<TokenGenerated>().ToListAsync(Stop);

    private static async Task<IReadOnlyList<StrengthScores>> ScoreAsync(
        GenerationEngine engine, int[] tokens, int first, AlignmentStrengths[] sweep)
    {
        var aligned = engine.Limits.ModelCount - 1;
        var handle = engine.Submit([new GenerationRequest
        {
            PromptTokens = tokens,
            MaxTokens = 0,
            Strengths = new AlignmentStrengths([.. Enumerable.Repeat(1.0 / (aligned + 1), aligned)]),
            Seed = 0,
            Scoring = new PromptScoring(first, sweep),
        }])[0];
        return (await handle.Events.ReadAllAsync(Stop).OfType<StrengthsScored>().SingleAsync(Stop)).Tokens;
    }

    private static double[] LogProbs(double[] logits)
    {
        var best = logits.Max();
        var sum = best + Math.Log(logits.Sum(logit => Math.Exp(logit - best)));
        return Array.ConvertAll(logits, logit => logit - sum);
    }
}
