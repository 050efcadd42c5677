using DeRa.Engine.Requests;

namespace DeRa.Serving.Streaming;

/// <summary>Adds up the measures of the tokens that a client sees. One thread at a time.</summary>
/// <param name="fault">The field of the request that leaves the weight undefined; null = none does.</param>
internal sealed class MeasureSums(string? fault)
{
    private ChoiceMeasures _sums = new(0, 0, []);
    private string? _fault = fault;

    /// <summary>Adds tokens; a prompt's count for nothing.</summary>
    public void Add(IEnumerable<OutputToken> tokens)
    {
        foreach (var token in tokens)
            if (token.Measures is { } measures) Add(measures);
    }

    /// <summary>Other strengths hold for tokens that follow: there is no single mixture of whole sequences any more.</summary>
    public void ChangeStrengths() => _fault ??= "alignment_strength";

    /// <summary>The sums.</summary>
    /// <param name="ending">What ended the choice, where that was not its own end.</param>
    public ChoiceMeasures Finish(string? ending) => _sums with { WeightFault = _fault ?? ending };

    private void Add(TokenMeasures token) => _sums = new ChoiceMeasures(_sums.LogProb + token.LogProb, _sums.LogZ + token.LogZ,
        [.. token.Models.Select((own, i) =>
        {
            var before = i < _sums.Models.Count ? _sums.Models[i] : new ModelSums(0, 0, 0);
            return new ModelSums(before.LogProb + own.LogProb, before.Divergence + own.Divergence,
                before.ImplicitReward + token.ImplicitReward(i));
        })]);
}
