using DeRa.Engine.Requests;
using DeRa.Torch.Decoding;
using Xunit;

namespace DeRa.Torch.Tests.Decoding;

/// <summary>Noise that the kernel does not compute could not have won.</summary>
public sealed class CpuDrawTests
{
    private const int VocabularySize = 20_011;

    [Theory]
    [InlineData(0)]
    [InlineData(.01f)]
    [InlineData(1)]
    [InlineData(12)]
    [InlineData(50)]
    [InlineData(2000)]
    public void A_whole_row_s_draw_is_the_largest_of_all_sums(float spread)
    {
        var random = new Random(1);
        for (var draw = 0; draw < 60; draw++)
        {
            var scaled = Scaled(random, spread);
            Assert.Equal(Best(scaled, Rows.Key(draw)), CpuDraw.Best(scaled, Rows.Key(draw)));
        }
    }

    [Fact]
    public void Candidates_give_the_draw_of_the_row_that_holds_no_other_token()
    {
        var random = new Random(2);
        var candidates = new CpuCandidates(VocabularySize);
        for (var draw = 0; draw < 200; draw++)
        {
            var scaled = Scaled(random, 20);
            CpuCandidateFilter.Apply(scaled, new() { TopK = random.Next(1, 3000) }, candidates);
            var kept = candidates.Items.ToArray().Select(candidate => candidate.Token).ToHashSet();
            for (var token = 0; token < scaled.Length; token++) if (!kept.Contains(token)) scaled[token] = float.NegativeInfinity;
            Assert.Equal(CpuDraw.Best(scaled, Rows.Key(draw)), CpuDraw.Best(candidates.Items, Rows.Key(draw)));
        }
    }

    private static float[] Scaled(Random random, float spread)
    {
        var scaled = CpuVector.Allocate(VocabularySize);
        for (var token = 0; token < VocabularySize; token++)
            scaled[token] = random.Next(50) == 0 ? float.NegativeInfinity : -spread * random.NextSingle();
        scaled[random.Next(VocabularySize)] = 0;
        return scaled;
    }

    private static int Best(float[] scaled, ulong key)
    {
        var (best, most) = (-1, double.NegativeInfinity);
        for (var token = 0; token < VocabularySize; token++)
            if (scaled[token] + GumbelNoise.Of(key, token) is var sum && sum > most) (best, most) = (token, sum);
        return best;
    }
}
