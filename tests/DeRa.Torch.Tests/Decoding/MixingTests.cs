using DeRa.Engine.Requests;
using DeRa.Torch.Decoding;
using TorchSharp;
using Xunit;

namespace DeRa.Torch.Tests.Decoding;

public sealed class MixingTests
{
    private static readonly float[] Reference = [2, 1, 0];
    private static readonly float[] Aligned = [0, 1, 3];

    [Theory]
    [InlineData(0, new[] { .665241, .244728, .090031 })]
    [InlineData(.5, new[] { .274069, .274069, .451863 })]
    [InlineData(1, new[] { .042010, .114195, .843795 })]
    [InlineData(2, new[] { .000333, .006691, .992976 })]
    [InlineData(-.5, new[] { .872262, .118048, .009690 })]
    public void The_toy_pair_gives_the_published_probabilities(double strength, double[] expected)
    {
        var rows = Enumerable.Range(0, 3).Select(token => Rows.Scored(strength, token)).ToArray();
        var results = Rows.Run([Reference, Reference, Reference], [Aligned, Aligned, Aligned], rows);
        for (var token = 0; token < 3; token++) Assert.Equal(expected[token], Math.Exp(results[token].Score!.LogProb), 1e-6);
    }

    [Fact]
    public void Three_models_give_the_published_probabilities()
    {
        var strengths = new AlignmentStrengths(.5, .25);
        float[][] logits = [Reference, Aligned, [1, 3, 0]];
        double[] expected = [.191058, .404471, .404471];
        using var scope = torch.NewDisposeScope();
        var members = logits.Select(own => new ModelLogits(torch.tensor([.. own, .. own, .. own], [3, 3]), [0, 1, 2])).ToList();
        var rows = Enumerable.Range(0, 3).Select(token => Rows.Scored(.5, token) with { Strengths = strengths }).ToList();
        var results = Rows.Run(members, rows, 3);
        for (var token = 0; token < 3; token++) Assert.Equal(expected[token], Math.Exp(results[token].Score!.LogProb), 1e-6);
    }

    [Fact]
    public void Rows_that_mix_different_models_share_a_batch()
    {
        AlignmentStrengths[] strengths = [new(.5, .25), new(0, 1), new(), new(2), new(0, .5), new(.75, .25), new(1)];
        float[] other = [1, 3, 0];
        var rows = strengths.Select(own => Rows.Scored(0, 2) with { Strengths = own }).ToList();
        using var scope = torch.NewDisposeScope();
        var members = new[] { Reference, Aligned, other }.Select((own, member) =>
        {
            int[] ran = [.. Enumerable.Range(0, rows.Count).Where(row => strengths[row].IsActive(member))];
            return new ModelLogits(torch.tensor([.. ran.SelectMany(_ => own)], [ran.Length, 3]), ran);
        }).ToList();
        var results = Rows.Run(members, rows, 3);
        for (var row = 0; row < rows.Count; row++)
        {
            var (a, b) = (strengths[row][0], strengths[row][1]);
            var mixed = Enumerable.Range(0, 3).Select(v => (1 - a - b) * Reference[v] + a * Aligned[v] + b * other[v]).ToArray();
            Assert.Equal(mixed[2] - Math.Log(mixed.Sum(Math.Exp)), results[row].Score!.LogProb, 1e-5);
        }
    }

    [Fact]
    public void Every_row_of_a_batch_is_mixed_at_its_own_strength()
    {
        double[] strengths = [2, 0, .5, 1, -.5, 0, 1];
        float[] expected = [.006691f, .244728f, .274069f, .114195f, .118048f, .244728f, .114195f];
        var rows = strengths.Select(strength => Rows.Scored(strength, 1)).ToArray();
        var results = Rows.Run([.. rows.Select(_ => Reference)], [.. rows.Select(_ => Aligned)], rows);
        for (var row = 0; row < rows.Length; row++) Assert.Equal(expected[row], Math.Exp(results[row].Score!.LogProb), 1e-6);
    }

    [Fact]
    public void One_model_s_rows_are_copied_bit_for_bit()
    {
        float[] odd = [1e-30f, -0.1f, 3.3333333f, float.NegativeInfinity];
        float[] other = [float.NaN, float.PositiveInfinity, 5, 6];
        using var scope = torch.NewDisposeScope();
        var mine = new ModelLogits(torch.tensor(odd, [1, 4]), [0]);
        var theirs = new ModelLogits(torch.tensor(other, [1, 4]), [0]);
        Assert.Equal(odd, LogitMixer.Mix([mine, theirs], [Rows.Scored(0, 0)], 4).data<float>().ToArray());
        Assert.Equal(odd, LogitMixer.Mix([theirs, mine], [Rows.Scored(1, 0)], 4).data<float>().ToArray());
    }

    [Fact]
    public void The_kernel_mixes_to_the_same_bits_as_the_operators()
    {
        const int VocabularySize = 37;
        using var scope = torch.NewDisposeScope();
        using var random = new torch.Generator(4, torch.CPU);
        AlignmentStrengths[] strengths = [new(.5, .25), new(0, 1), new(), new(2), new(0, .5), new(.75, .25), new(1), new(-.3, 3)];
        var rows = strengths.Select(own => Rows.Scored(0, 0) with { Strengths = own }).ToList();
        var all = Enumerable.Range(0, rows.Count).ToList();
        var members = Enumerable.Range(0, 3)
            .Select(_ => new ModelLogits(torch.randn([rows.Count, VocabularySize + 3], generator: random), all)).ToList();
        var expected = LogitMixer.Mix(members, rows, VocabularySize);
        using var logits = new CpuLogits(members, rows, VocabularySize);
        var mixed = new float[VocabularySize];
        for (var row = 0; row < rows.Count; row++)
        {
            CpuMixer.Mix(strengths[row], logits, row, mixed);
            Assert.Equal(expected[row].data<float>().ToArray(), mixed);
        }
    }

    [Theory]
    [InlineData(-1)]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(10)]
    public void Forbidden_tokens_give_no_NaN_at_any_strength(double strength)
    {
        var bias = new Dictionary<int, float> { [0] = float.NegativeInfinity, [2] = float.NegativeInfinity };
        var forbidden = new SamplingParameters { LogitBias = bias };
        foreach (var temperature in new[] { 0f, .01f, 1f })
            foreach (var noiseKey in new ulong[] { 0, 1, 2 })
            {
                var parameters = forbidden with { Temperature = temperature, TopK = 3, TopP = .99f };
                var row = Rows.Sampled(strength, parameters, noiseKey, logProbs: 3);
                var result = Rows.Run([Reference], [Aligned], [row])[0];
                Assert.Null(result.Error);
                Assert.Equal(1, result.Token);
                Assert.All(result.LogProbs!.Top, alternative => Assert.False(float.IsNaN(alternative.LogProb)));
            }
    }

    [Fact]
    public void Columns_past_the_vocabulary_are_cut_off()
    {
        var results = Rows.Run([[2, 1, 0, 99, 99]], [[0, 1, 3, 99, 99]], [Rows.Sampled(.5, new() { Temperature = 0 }, logProbs: 5)],
            vocabularySize: 3);
        Assert.Equal(2, results[0].Token);
        Assert.Equal(3, results[0].LogProbs!.Top.Count);
        Assert.Equal(.451863, Math.Exp(results[0].LogProbs!.LogProb), 1e-6);
    }

    [Fact]
    public void Outputs_of_different_widths_and_types_mix()
    {
        using var scope = torch.NewDisposeScope();
        var reference = new ModelLogits(torch.tensor(new float[] { 2, 1, 0, 7 }, [1, 4]).to(torch.ScalarType.BFloat16), [0]);
        var aligned = new ModelLogits(torch.tensor(new float[] { 0, 1, 3 }, [1, 3]).to(torch.ScalarType.Float16), [0]);
        var result = Rows.Run([reference, aligned], [Rows.Scored(2, 1)], 3)[0];
        Assert.Equal(.006691, Math.Exp(result.Score!.LogProb), 1e-6);
    }

    [Fact]
    public void A_row_of_a_model_that_did_not_run_it_is_a_programming_error()
    {
        using var scope = torch.NewDisposeScope();
        var reference = new ModelLogits(torch.zeros(1, 3), [0]);
        Assert.Throws<InvalidOperationException>(() => Rows.Run([reference, ModelLogits.None], [Rows.Scored(.5, 0)], 3));
    }

    [Fact]
    public void The_logits_themselves_are_not_changed()
    {
        using var scope = torch.NewDisposeScope();
        var logits = torch.tensor(new float[] { 3, 1, 2 }, [1, 3]);
        var bias = new Dictionary<int, float> { [1] = 5 };
        var parameters = new SamplingParameters { RepetitionPenalty = 2, Temperature = .5f, TopK = 2, LogitBias = bias };
        Rows.Run([new ModelLogits(logits, [0]), ModelLogits.None], [Rows.Sampled(0, parameters, 3, 2, [0])], 3);
        Assert.Equal([3, 1, 2], logits.data<float>().ToArray());
    }

    [Fact]
    public void No_tensor_outlives_the_call()
    {
        using var scope = torch.NewDisposeScope();
        var logits = torch.rand(6, 100);
        int[] all = [0, 1, 2, 3, 4, 5];
        LogitRow[] rows =
        [
            Rows.Sampled(.5, new() { Temperature = 0 }), Rows.Sampled(0, new() { TopK = 5, TopP = .9f, MinP = .1f }, 5, 3),
            Rows.Sampled(1, new() { RepetitionPenalty = 1.2f, FrequencyPenalty = 1 }, 5, 0, [1], [2, 2]),
            Rows.Scored(2, 7, 4), Rows.Sampled(-.5, new(), 9), Rows.Scored(.5, 200),
        ];
        var before = LiveTensors();
        for (var i = 0; i < 20; i++) Rows.Run([new ModelLogits(logits, all), new ModelLogits(logits, all)], rows, 100);
        Assert.Equal(before, LiveTensors());
        Assert.False(logits.IsInvalid);

        // This thread's alone: other tests run at the same time.
        static long LiveTensors() => DisposeScopeManager.Statistics.ThreadTotalLiveCount;
    }

    [Fact]
    public void The_distance_from_the_reference_is_measured_at_every_eighth_token_of_rows_that_mix_it()
    {
        var neutral = new SamplingParameters();
        LogitRow Row(double strength, int length) => Rows.Sampled(strength, neutral, logProbs: 1, prompt: new int[length]);
        LogitRow[] rows = [Row(.5, 8), Row(.5, 9), Row(0, 8), Row(1, 8), Row(2, 16), Rows.Scored(.5, 1), Row(-.5, 24)];
        var results = Rows.Run([.. rows.Select(_ => Reference)], [.. rows.Select(_ => Aligned)], rows);
        double?[] expected = [Divergence(.5), null, null, null, Divergence(2), null, Divergence(-.5)];
        for (var row = 0; row < rows.Length; row++)
        {
            Assert.Equal(expected[row] is null, results[row].ReferenceDivergence is null);
            if (expected[row] is { } nats) Assert.Equal(nats, results[row].ReferenceDivergence!.Value, 1e-6);
            Assert.Null(results[row].Error);
        }
        // What comes after it on its way to the host is where it was.
        Assert.Equal(Math.Log(.451863), results[5].Score!.LogProb + Math.Log(.451863 / .274069), 1e-5);
    }

    [Fact]
    public void A_token_that_no_model_gives_a_chance_adds_nothing_to_the_distance()
    {
        float[] reference = [2, 1, 0, float.NegativeInfinity], aligned = [0, 1, 3, float.NegativeInfinity];
        var result = Rows.Run([reference], [aligned], [Rows.Sampled(.5, new SamplingParameters(), prompt: new int[8])])[0];
        Assert.Equal(Divergence(.5), result.ReferenceDivergence!.Value, 1e-6);
    }

    /// <summary>By its definition, in float64.</summary>
    private static double Divergence(double strength)
    {
        double[] p = Softmax(v => (1 - strength) * Reference[v] + strength * Aligned[v]), q = Softmax(v => Reference[v]);
        return Enumerable.Range(0, 3).Sum(v => p[v] * Math.Log(p[v] / q[v]));
    }

    private static double[] Softmax(Func<int, double> logit)
    {
        var weights = Enumerable.Range(0, 3).Select(v => Math.Exp(logit(v))).ToArray();
        return Array.ConvertAll(weights, weight => weight / weights.Sum());
    }
}
