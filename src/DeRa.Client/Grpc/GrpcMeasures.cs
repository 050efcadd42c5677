using System.Text;
using DeRa.Client.Alignment;
using DeRa.Protos.V1;
using Google.Protobuf.Collections;
using ChoiceMeasures = DeRa.Client.Alignment.ChoiceMeasures;
using TokenMeasures = DeRa.Client.Alignment.TokenMeasures;
using WireSums = DeRa.Protos.V1.ChoiceMeasures;

namespace DeRa.Client.Grpc;

/// <summary>Reads measures.</summary>
internal static class GrpcMeasures
{
    /// <summary>Those of a choice or a piece of it; null where there are none.</summary>
    public static ChoiceMeasures? Read(IEnumerable<Token> tokens, WireSums? sums)
    {
        List<TokenMeasures> read = [.. tokens.Where(token => token.Measures is not null).Select(Token)];
        return read.Count == 0 && sums is null ? null : new ChoiceMeasures(read, sums is null ? null : Sums(sums));
    }

    private static TokenMeasures Token(Token token)
    {
        var measures = token.Measures;
        var byName = Aligned(measures.LogprobAligned, measures.KlToAligned, measures.ImplicitReward,
            name => measures.TopAligned.TryGetValue(name, out var top) ? Top(top.Tokens) : []);
        return new TokenMeasures
        {
            Id = token.Id,
            Text = token.Bytes.ToString(Encoding.UTF8),
            LogProb = measures.Logprob,
            LogProbReference = measures.LogprobReference,
            KlToReference = measures.KlToReference,
            LogZ = measures.LogZ,
            Aligned = byName.First().Value,
            AlignedByName = byName,
            TopReference = Top(measures.TopReference),
            TopMixture = Top(measures.TopMixture),
        };
    }

    private static MeasureSums Sums(WireSums sums)
    {
        var byName = Aligned(sums.LogprobAligned, sums.KlToAligned, sums.ImplicitReward, _ => []);
        return new MeasureSums
        {
            LogProb = sums.Logprob,
            LogProbReference = sums.LogprobReference,
            KlToReference = sums.KlSequence,
            LogZ = sums.LogZ,
            LogWeight = sums.HasLogWeight ? sums.LogWeight : null,
            LogWeightUndefined = sums.HasLogWeightUndefined ? sums.LogWeightUndefined : null,
            Aligned = byName.First().Value,
            AlignedByName = byName,
        };
    }

    /// <summary>In the order of the message, where the first aligned model is the first.</summary>
    private static Dictionary<string, AlignedMeasures> Aligned(MapField<string, double> logProbs, MapField<string, double> kls,
        MapField<string, double> rewards, Func<string, IReadOnlyList<LikelyToken>> top) =>
        logProbs.ToDictionary(one => one.Key, one => new AlignedMeasures(one.Value, kls[one.Key], rewards[one.Key], top(one.Key)));

    private static IReadOnlyList<LikelyToken> Top(IEnumerable<Alternative> tokens) =>
        [.. tokens.Select(token => new LikelyToken(token.Id, token.Bytes.ToString(Encoding.UTF8), token.Logprob))];
}
