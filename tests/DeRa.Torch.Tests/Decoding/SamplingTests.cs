using DeRa.Engine.Requests;
using Xunit;

namespace DeRa.Torch.Tests.Decoding;

public sealed class SamplingTests
{
    private static readonly SamplingParameters Greedy = new() { Temperature = 0 };

    [Fact]
    public void Greedy_takes_the_lowest_id_of_equal_logits()
    {
        var logits = new float[5000];
        logits[4321] = logits[77] = logits[1234] = 3;
        Assert.Equal(77, Sample(logits, Greedy, 9));
    }

    [Fact]
    public void A_draw_takes_the_largest_sum_of_logit_and_noise_and_temperature_divides_the_logit_alone()
    {
        float[] logits = [.5f, 1, 0, -1];
        for (var draw = 0; draw < 200; draw++)
            foreach (var temperature in new[] { .5f, 1, 2 })
            {
                var key = Rows.Key(draw);
                var best = Enumerable.Range(0, 4).MaxBy(token => logits[token] / temperature + GumbelNoise.Of(key, token));
                Assert.Equal(best, Sample(logits, new() { Temperature = temperature }, key));
            }
    }

    [Fact]
    public void A_draw_never_lands_on_a_dropped_token()
    {
        float[] logits = [-9, 5, -9, 4.5f, -9, -9];
        Assert.Equal([1, 3], Support(logits, new() { TopK = 2 }));
        Assert.Equal([1, 3], Support(logits, new() { TopP = .9f }));
        Assert.Equal([1, 3], Support(logits, new() { MinP = .1f }));
        Assert.Equal([1], Support([float.NegativeInfinity, 1, float.NegativeInfinity], new()));
    }

    [Fact]
    public void Top_k_keeps_exactly_k_of_equal_tokens_the_lowest_ids() =>
        Assert.Equal([0, 1, 2], Support([1, 1, 1, 1, 1, 1], new() { TopK = 3 }));

    [Theory]
    [InlineData(0, .5f, 1, 0, 2000)]
    [InlineData(1500, .5f, 1, 0, 750)]
    [InlineData(0, 1, .25f, 0, 1000)]
    [InlineData(0, .5f, .5f, 1, 1000)]
    public void Of_equal_tokens_in_a_large_vocabulary_filters_keep_the_lowest_ids(
        int topK, float topP, float typicalP, float minP, int expected)
    {
        var parameters = new SamplingParameters { TopK = topK, TopP = topP, TypicalP = typicalP, MinP = minP };
        var rows = Enumerable.Range(0, 200).Select(i => Rows.Sampled(0, parameters, Rows.Key(i))).ToArray();
        var tokens = Rows.Run([.. rows.Select(_ => new float[4000])], [], rows).Select(result => result.Token).ToArray();
        Assert.InRange(tokens.Max(), expected * 9 / 10, expected - 1);
    }

    [Fact]
    public void Top_k_past_the_vocabulary_keeps_all() =>
        Assert.Equal([0, 1, 2, 3], Support([1, 1, 1, 1], new() { TopK = 1000 }));

    [Theory]
    [InlineData(.25f, new[] { 2 })]
    [InlineData(.5f, new[] { 2 })]
    [InlineData(.51f, new[] { 0, 2 })]
    [InlineData(.75f, new[] { 0, 2 })]
    [InlineData(.76f, new[] { 0, 1, 2 })]
    [InlineData(.88f, new[] { 0, 1, 2, 3 })]
    public void Top_p_keeps_the_smallest_prefix_that_reaches_p(float topP, int[] expected)
    {
        // Probabilities ¼, ⅛, ½, ⅛: exact in binary, so that p = ½ is reached exactly.
        float[] logits = [2 * MathF.Log(2), MathF.Log(2), 3 * MathF.Log(2), MathF.Log(2)];
        Assert.Equal(expected, Support(logits, new() { TopP = topP }));
    }

    [Fact]
    public void Top_p_looks_at_what_top_k_left()
    {
        // Of ½, ¼, ¼ top-k keeps ⅔ and ⅓; .6 is then reached by the first alone.
        float[] logits = [MathF.Log(2), 0, 0];
        Assert.Equal([0, 1], Support(logits, new() { TopP = .6f }));
        Assert.Equal([0], Support(logits, new() { TopP = .6f, TopK = 2 }));
    }

    [Fact]
    public void Min_p_is_relative_to_the_best_after_temperature()
    {
        float[] logits = [0, -1, -2];
        Assert.Equal([0, 1], Support(logits, new() { MinP = .3f }));
        Assert.Equal([0], Support(logits, new() { MinP = .3f, Temperature = .5f }));
        Assert.Equal([0, 1, 2], Support(logits, new() { MinP = .3f, Temperature = 2 }));
        Assert.Equal([0], Support(logits, new() { MinP = 1 }));
    }

    [Fact]
    public void Typical_p_keeps_what_is_about_as_surprising_as_expected()
    {
        // Probabilities ½, ¼, ⅛, ⅛: entropy 1¾ bits, so that the surprises 1, 2, 3, 3 lie ¾, ¼, 1¼, 1¼ from it.
        float[] logits = [2 * MathF.Log(2), MathF.Log(2), 0, 0];
        Assert.Equal([1], Support(logits, new() { TypicalP = .24f }));
        Assert.Equal([0, 1], Support(logits, new() { TypicalP = .26f }));
        Assert.Equal([0, 1, 2], Support(logits, new() { TypicalP = .76f }));
        Assert.Equal([0, 1, 2, 3], Support(logits, new() { TypicalP = .88f }));
        // Of what top-k leaves, ⅔ and ⅓, the first is the more typical.
        Assert.Equal([0], Support(logits, new() { TypicalP = .5f, TopK = 2 }));
    }

    [Fact]
    public void Only_allowed_tokens_are_sampled_whatever_the_bias()
    {
        var parameters = new SamplingParameters { AllowedTokens = [3, 1], LogitBias = new Dictionary<int, float> { [0] = 100 } };
        Assert.Equal([1, 3], Support([0, 0, 0, 0, 9], parameters));
        Assert.Equal(1, Sample([0, 0, 0, 0, 9], parameters with { Temperature = 0 }, 0));
    }

    [Fact]
    public void The_last_token_of_a_bad_word_is_not_sampled_after_the_others_of_the_output_alone()
    {
        var parameters = Greedy with { BadWords = [[2, 3, 0], [1]] };
        Assert.Equal(0, Sample([9, 9.5f, 8, 0], parameters, 0, output: [3]));
        Assert.Equal(2, Sample([9, 9.5f, 8, 0], parameters, 0, output: [1, 2, 3]));
        Assert.Equal(0, Sample([9, 9.5f, 8, 0], parameters, 0, prompt: [2], output: [3]));
    }

    [Fact]
    public void An_end_is_not_sampled_before_min_tokens()
    {
        var parameters = Greedy with { MinTokens = 2, EndTokens = [0, 2] };
        Assert.Equal(1, Sample([9, 0, 8], parameters, 0, prompt: [1, 1, 1], output: [1]));
        Assert.Equal(0, Sample([9, 0, 8], parameters, 0, output: [1, 1]));
    }

    [Fact]
    public void Masks_that_would_leave_nothing_give_way_the_allowed_tokens_last()
    {
        var parameters = Greedy with { AllowedTokens = [1, 2], MinTokens = 5, EndTokens = [1, 2], BadWords = [[2]] };
        Assert.Equal(1, Sample([9, 5, 8], parameters, 0));
        Assert.Equal(2, Sample([9, 5, 8], parameters with { BadWords = [[1], [2]] }, 0));
        Assert.Equal(0, Sample([9, 5, 8], Greedy with { BadWords = [[0], [1], [2]] }, 0));
    }

    [Fact]
    public void A_logit_that_is_no_number_is_a_fault_behind_a_mask_too()
    {
        var masked = Rows.Sampled(0, Greedy with { AllowedTokens = [1] });
        Assert.Contains("NaN", Rows.Run([[float.NaN, 1]], [], [masked])[0].Error, StringComparison.Ordinal);
        Assert.Contains("only -infinity", Rows.Run([[1, float.NegativeInfinity]], [], [masked])[0].Error, StringComparison.Ordinal);
    }

    [Fact]
    public void Filters_that_are_off_keep_every_token() =>
        Assert.Equal(Enumerable.Range(0, 64), Support([.. Enumerable.Range(0, 64).Select(i => i % 7 * -.5f)], new(), 4096));

    [Fact]
    public void A_row_that_does_not_filter_keeps_every_token_beside_one_that_does()
    {
        float[] logits = [.. Enumerable.Range(0, 32).Select(i => i % 5 * -.25f)];
        var rows = Enumerable.Range(0, 1024).Select(i => Rows.Sampled(0, new() { TopK = i % 2 == 0 ? 1 : 0 }, Rows.Key(i))).ToArray();
        var results = Rows.Run([.. rows.Select(_ => logits)], [], rows);
        Assert.Equal(32, results.Where((_, row) => row % 2 == 1).Select(result => result.Token).Distinct().Count());
        Assert.All(results.Where((_, row) => row % 2 == 0), result => Assert.Equal(0, result.Token));
    }

    [Fact]
    public void Each_row_of_a_batch_has_its_own_filters()
    {
        float[] logits = [1, 0, 0, -1];
        SamplingParameters[] filters = [new() { TopK = 3 }, new() { TopP = .6f }, new() { MinP = .3f }, new() { TypicalP = .1f }, new()];
        var rows = Enumerable.Range(0, 2000).Select(i => Rows.Sampled(0, filters[i % filters.Length], Rows.Key(i))).ToArray();
        var tokens = Rows.Run([.. rows.Select(_ => logits)], [], rows).Select(result => result.Token).ToArray();
        int[][] expected = [[0, 1, 2], [0, 1], [0, 1, 2], [1], [0, 1, 2, 3]];
        for (var filter = 0; filter < filters.Length; filter++)
            Assert.Equal(expected[filter], tokens.Where((_, row) => row % filters.Length == filter).Distinct().Order());
    }

    [Fact]
    public void Repetition_divides_positive_and_multiplies_negative_logits_of_prompt_and_output()
    {
        var parameters = Greedy with { RepetitionPenalty = 2 };
        Assert.Equal(2, Sample([4, 3, 2.1f, 0], parameters, 0, prompt: [0], output: [1]));
        Assert.Equal(1, Sample([-1, -1.5f, -3], parameters, 0, prompt: [0, 0, 0]));
    }

    [Fact]
    public void Frequency_counts_occurrences_in_the_output_and_presence_counts_once()
    {
        float[] logits = [3, 2, .5f];
        Assert.Equal(0, Sample(logits, Greedy with { FrequencyPenalty = .9f }, 0, prompt: [0, 0, 0], output: [0]));
        Assert.Equal(1, Sample(logits, Greedy with { FrequencyPenalty = .9f }, 0, output: [0, 0]));
        Assert.Equal(0, Sample(logits, Greedy with { PresencePenalty = .9f }, 0, output: [0, 0, 0, 0]));
        Assert.Equal(1, Sample(logits, Greedy with { PresencePenalty = 1.1f }, 0, output: [0]));
    }

    [Fact]
    public void Bias_and_penalties_add_up_on_one_token()
    {
        var parameters = Greedy with { RepetitionPenalty = 2, LogitBias = new Dictionary<int, float> { [0] = 2.5f } };
        Assert.Equal(0, Sample([4, 4.4f], parameters, 0, output: [0]));
        Assert.Equal(1, Sample([4, 4.6f], parameters, 0, output: [0]));
    }

    [Fact]
    public void A_low_temperature_keeps_small_differences_of_large_logits()
    {
        // Near 30000 / 0.01 float32 has steps of 1/4; a difference of 1/512 must still count as 100/512.
        float[] logits = [30000, 30000 + 1f / 512];
        foreach (var draw in Enumerable.Range(0, 1000))
        {
            var (first, second) = (GumbelNoise.Of(Rows.Key(draw), 0), GumbelNoise.Of(Rows.Key(draw), 1) + 100.0 / 512);
            Assert.Equal(first > second ? 0 : 1, Sample(logits, new() { Temperature = .01f }, Rows.Key(draw)));
        }
    }

    private static int Sample(float[] logits, SamplingParameters parameters, ulong noiseKey, int[]? prompt = null, int[]? output = null)
    {
        var result = Rows.Run([logits], [], [Rows.Sampled(0, parameters, noiseKey, null, prompt, output)])[0];
        Assert.Null(result.Error);
        return result.Token;
    }

    /// <summary>The tokens that draws of many keys reach.</summary>
    private static IEnumerable<int> Support(float[] logits, SamplingParameters parameters, int draws = 512)
    {
        var rows = Enumerable.Range(0, draws).Select(i => Rows.Sampled(0, parameters, Rows.Key(i))).ToArray();
        return Rows.Run([.. rows.Select(_ => logits)], [], rows).Select(result => result.Token).Distinct().Order();
    }
}
