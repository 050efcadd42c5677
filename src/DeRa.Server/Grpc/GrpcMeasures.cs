using DeRa.Protos.V1;
using DeRa.Serving.Streaming;
using Google.Protobuf.Collections;
using ChoiceMeasures = DeRa.Protos.V1.ChoiceMeasures;
using TokenMeasures = DeRa.Protos.V1.TokenMeasures;

namespace DeRa.Server.Grpc;

/// <summary>Measures in gRPC messages.</summary>
/// <param name="aligned">The aligned models' names.</param>
/// <param name="alternative">Makes the message of a likely token.</param>
internal sealed class GrpcMeasures(IReadOnlyList<string> aligned, Func<int, float, Alternative> alternative)
{
    /// <summary>A token's.</summary>
    /// <param name="measures">The measures.</param>
    /// <param name="beta">By what implicit rewards are multiplied.</param>
    public TokenMeasures Of(Engine.Requests.TokenMeasures measures, double beta)
    {
        var reference = measures.Models[0];
        var message = new TokenMeasures
        {
            Logprob = measures.LogProb,
            LogprobReference = reference.LogProb,
            KlToReference = reference.Divergence,
            LogZ = measures.LogZ,
            TopReference = { Tokens(reference.Top) },
            TopMixture = { Tokens(measures.Top) },
        };
        Add(message.LogprobAligned, model => measures.Models[model].LogProb);
        Add(message.KlToAligned, model => measures.Models[model].Divergence);
        Add(message.ImplicitReward, model => beta * measures.ImplicitReward(model));
        if (measures.Top.Count > 0)
            Add(message.TopAligned, model => new Alternatives { Tokens = { Tokens(measures.Models[model].Top) } });
        return message;
    }

    /// <summary>A choice's; null where there are none.</summary>
    /// <param name="sums">The sums; null = not asked for.</param>
    /// <param name="beta">By what implicit rewards are multiplied.</param>
    public ChoiceMeasures? Of(Serving.Streaming.ChoiceMeasures? sums, double beta)
    {
        if (sums is null) return null;
        ModelSums Model(int model) => sums.Models.Count == 0 ? new ModelSums(0, 0, 0) : sums.Models[model];
        var message = new ChoiceMeasures
        {
            Logprob = sums.LogProb,
            LogprobReference = Model(0).LogProb,
            KlSequence = Model(0).Divergence,
            LogZ = sums.LogZ,
        };
        Add(message.LogprobAligned, model => Model(model).LogProb);
        Add(message.KlToAligned, model => Model(model).Divergence);
        Add(message.ImplicitReward, model => beta * Model(model).ImplicitReward);
        if (sums.LogWeight is { } weight) message.LogWeight = weight;
        if (sums.WeightFault is { } fault) message.LogWeightUndefined = fault;
        return message;
    }

    private void Add<T>(MapField<string, T> map, Func<int, T> of)
    {
        for (var i = 0; i < aligned.Count; i++) map.Add(aligned[i], of(i + 1));
    }

    private IEnumerable<Alternative> Tokens(IReadOnlyList<(int Token, float LogProb)> top) =>
        top.Select(item => alternative(item.Token, item.LogProb));
}
