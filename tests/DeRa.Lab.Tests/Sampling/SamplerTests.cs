using DeRa.Lab.Models;
using DeRa.Lab.Sampling;
using Xunit;

namespace DeRa.Lab.Tests.Sampling;

public sealed class SamplerTests : IDisposable
{
    private const int End = 0, Never = -1, Draws = 8000;
    private const double Sharp = 1e5;
    private readonly TrainableDecoder _reference = TinyDecoder.Create(seed: 1), _aligned = TinyDecoder.Create(seed: 2);
    private readonly TrainableDecoder _certain = TinyDecoder.Create(seed: 3, Sharp);

    public void Dispose()
    {
        _reference.Dispose();
        _aligned.Dispose();
        _certain.Dispose();
    }

    [Theory]
    [InlineData(0)]
    [InlineData(0.5)]
    [InlineData(1)]
    [InlineData(2)]
    public void Two_tokens_are_drawn_from_the_mixture_of_the_logits(double strength)
    {
        int[] prompt = [3, 7, 5];
        var drawn = Sampler.Sample(
            new Mixture(_reference, _aligned, strength), [.. Enumerable.Repeat(prompt, Draws)], Never, maxTokens: 2, seed: 4,
            cancellation: TestContext.Current.CancellationToken);
        var counts = new int[TinyDecoder.Vocabulary * TinyDecoder.Vocabulary];
        foreach (var text in drawn) counts[text.Tokens[0] * TinyDecoder.Vocabulary + text.Tokens[1]]++;
        Assert.InRange(ChiSquare.Excess(Pairs(strength, prompt), counts), double.NegativeInfinity, 6);
        Assert.True(ChiSquare.Excess(Pairs(strength + 0.25, prompt), counts) > 6, "the test would not see a wrong strength");
    }

    [Fact]
    public void A_prompt_beside_longer_and_shorter_ones_is_continued_from_its_own_distribution()
    {
        int[][] kinds = [[3], [3, 7, 5, 1, 9], [8, 2]];
        var drawn = Sampler.Sample(new Mixture(_reference, _aligned, 0.5),
            [.. Enumerable.Range(0, 3 * Draws).Select(i => kinds[i % 3])], Never, maxTokens: 1, seed: 5,
            cancellation: TestContext.Current.CancellationToken);
        foreach (var (kind, prompt) in kinds.Index())
        {
            var counts = new int[TinyDecoder.Vocabulary];
            foreach (var text in drawn.Where((_, i) => i % 3 == kind)) counts[text.Tokens.Single()]++;
            Assert.InRange(ChiSquare.Excess(TinyDecoder.Mixed(_reference, _aligned, 0.5, prompt), counts), double.NegativeInfinity, 6);
        }
    }

    [Fact]
    public void Rows_of_all_lengths_and_ends_write_what_each_writes_alone()
    {
        var random = new Random(6);
        int[][] prompts = [.. Enumerable.Range(0, 40)
            .Select(i => Enumerable.Range(0, 1 + i % 7).Select(_ => random.Next(1, TinyDecoder.Vocabulary)).ToArray())];
        var end = MiddlingEnd(prompts);
        var drawn = Sampler.Sample(
            Mixture.Of(_certain), prompts, end, maxTokens: 12, seed: 7, cancellation: TestContext.Current.CancellationToken);
        var ends = drawn.Select(text => text.Tokens.Length).Distinct().Count();
        Assert.True(ends > 2 && drawn.Any(text => !text.Finished), "rows end in too few places to be told apart");
        foreach (var (text, prompt) in drawn.Zip(prompts))
        {
            Assert.Equal(prompt, text.Prompt);
            Assert.Equal(TinyDecoder.Greedy(_certain, prompt, end, maxTokens: 12), text.Tokens);
            Assert.Equal(text.Tokens[^1] == end, text.Finished);
        }
    }

    [Fact]
    public void Completions_end_at_the_end_token_or_the_limit()
    {
        var drawn = Sampler.Sample(Mixture.Of(_reference), [.. Enumerable.Repeat<int[]>([4, 2], 300)], End, maxTokens: 9, seed: 8,
            cancellation: TestContext.Current.CancellationToken);
        Assert.Contains(drawn, text => text.Finished);
        Assert.Contains(drawn, text => !text.Finished);
        Assert.All(drawn, text =>
        {
            Assert.DoesNotContain(End, text.Tokens[..^1]);
            Assert.Equal(text.Tokens[^1] == End, text.Finished);
            Assert.True(text.Finished ? text.Tokens.Length <= 9 : text.Tokens.Length == 9);
        });
    }

    [Fact]
    public void A_model_reads_no_more_than_its_context()
    {
        int[][] prompts = [[1, 2], [.. Enumerable.Repeat(1, TinyDecoder.Context - 3)], [.. Enumerable.Repeat(1, TinyDecoder.Context)]];
        var drawn = Sampler.Sample(Mixture.Of(_certain), prompts, Never, maxTokens: 1000, seed: 9,
            cancellation: TestContext.Current.CancellationToken);
        // The last token is drawn when the context is full, and is not read any more.
        Assert.All(drawn, text => Assert.Equal(TinyDecoder.Context + 1, text.Prompt.Length + text.Tokens.Length));
        Assert.All(drawn, text => Assert.False(text.Finished));
        Assert.All(drawn, text => Assert.Equal(TinyDecoder.Greedy(_certain, text.Prompt, Never, text.Tokens.Length), text.Tokens));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(TinyDecoder.Context + 1)]
    public void A_prompt_that_is_empty_or_longer_than_the_context_is_refused(int tokens)
    {
        var bad = Assert.Throws<LabException>(() => Sampler.Sample(
            Mixture.Of(_reference), [[1], new int[tokens]], End, 4, seed: 1, cancellation: TestContext.Current.CancellationToken));
        Assert.Contains($"{tokens} tokens", bad.Message);
        Assert.Contains($"1 to {TinyDecoder.Context}", bad.Message);
    }

    [Fact]
    public void The_seed_decides_what_is_drawn()
    {
        var mixture = new Mixture(_reference, _aligned, 1.5);
        int[] Tokens(long seed) =>
            [.. Sampler.Sample(mixture, [.. Enumerable.Repeat<int[]>([1], 20)], End, 8, seed).SelectMany(text => text.Tokens)];
        Assert.Equal(Tokens(1), Tokens(1));
        Assert.NotEqual(Tokens(1), Tokens(2));
    }

    [Theory]
    [InlineData(double.NaN)]
    [InlineData(-1.5)]
    [InlineData(11)]
    [InlineData(double.PositiveInfinity)]
    public void A_strength_that_the_server_refuses_is_refused(double strength) =>
        Assert.Contains("between -1 and 10", Assert.Throws<LabException>(() => new Mixture(_reference, _aligned, strength)).Message);

    /// <summary>A token that ends some completions within twelve tokens, and not all.</summary>
    private int MiddlingEnd(int[][] prompts)
    {
        var written = prompts.Select(prompt => TinyDecoder.Greedy(_certain, prompt, Never, maxTokens: 12)).ToArray();
        return Enumerable.Range(1, TinyDecoder.Vocabulary - 1)
            .MinBy(token => Math.Abs(written.Count(tokens => tokens.Contains(token)) - prompts.Length / 2));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(0.5)]
    [InlineData(1)]
    public void A_temperature_divides_the_mixed_logits(double strength)
    {
        const double temperature = 0.5;
        var drawn = Sampler.Sample(
            new Mixture(_reference, _aligned, strength, temperature), [.. Enumerable.Repeat<int[]>([3, 7, 5], Draws)], Never, maxTokens: 1,
            seed: 10, cancellation: TestContext.Current.CancellationToken);
        var counts = new int[TinyDecoder.Vocabulary];
        foreach (var text in drawn) counts[text.Tokens.Single()]++;
        var mixed = TinyDecoder.Mixed(_reference, _aligned, strength, 3, 7, 5);
        var powers = mixed.Select(probability => Math.Pow(probability, 1 / temperature)).ToArray();
        Assert.InRange(ChiSquare.Excess([.. powers.Select(power => power / powers.Sum())], counts), double.NegativeInfinity, 6);
        Assert.True(ChiSquare.Excess(mixed, counts) > 6, "the test would not see a wrong temperature");
    }

    [Theory]
    [InlineData(0)]
    [InlineData(2.1)]
    [InlineData(double.NaN)]
    public void A_temperature_out_of_range_is_refused(double temperature) => Assert.Contains("temperature is",
        Assert.Throws<LabException>(() => new Mixture(_reference, _aligned, 1, temperature)).Message);

    [Theory]
    [InlineData(0)]
    [InlineData(0.5)]
    public void Tokens_below_min_p_are_not_drawn_and_the_others_in_proportion(double strength)
    {
        const double temperature = 0.5;
        const int keptTokens = 4;
        var powers = TinyDecoder.Mixed(_reference, _aligned, strength, 3, 7, 5)
            .Select(probability => Math.Pow(probability, 1 / temperature)).ToArray();
        var likeliest = powers.OrderDescending().ToArray();
        var minP = (likeliest[keptTokens - 1] + likeliest[keptTokens]) / 2 / likeliest[0];
        var drawn = Sampler.Sample(
            new Mixture(_reference, _aligned, strength, temperature, minP), [.. Enumerable.Repeat<int[]>([3, 7, 5], Draws)], Never,
            maxTokens: 1, seed: 11, cancellation: TestContext.Current.CancellationToken);
        var counts = new int[TinyDecoder.Vocabulary];
        foreach (var text in drawn) counts[text.Tokens.Single()]++;
        var kept = powers.Select(power => power >= minP * likeliest[0] ? power : 0).ToArray();
        Assert.All(kept.Zip(counts), token => Assert.True(token.First > 0 || token.Second == 0));
        var (expected, seen) = (kept.Where(power => power > 0).ToArray(), counts.Where((_, token) => kept[token] > 0).ToArray());
        Assert.InRange(ChiSquare.Excess([.. expected.Select(power => power / expected.Sum())], seen), double.NegativeInfinity, 6);
    }

    [Theory]
    [InlineData(-0.1)]
    [InlineData(1.1)]
    [InlineData(double.NaN)]
    public void A_min_p_out_of_range_is_refused(double minP) => Assert.Contains("min-p is",
        Assert.Throws<LabException>(() => new Mixture(_reference, _aligned, 1, 1, minP)).Message);

    private double[] Pairs(double strength, int[] prompt) =>
        [.. TinyDecoder.Mixed(_reference, _aligned, strength, prompt).SelectMany((first, token) =>
            TinyDecoder.Mixed(_reference, _aligned, strength, [.. prompt, token]).Select(second => first * second))];
}
