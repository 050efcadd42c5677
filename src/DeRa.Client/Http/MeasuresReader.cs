using System.Text.Json;
using DeRa.Client.Alignment;

namespace DeRa.Client.Http;

/// <summary>
/// Reads measures. A pair of one aligned model has numbers where others have objects, under other names, by the models' names.
/// </summary>
internal static class MeasuresReader
{
    /// <summary>Those of a choice or a piece of it; null where there are none.</summary>
    public static ChoiceMeasures? Read(JsonElement choice)
    {
        if (choice.Find("measures") is not { } measures) return null;
        var tokens = measures.List("tokens").Select(Token).ToList();
        return new ChoiceMeasures(tokens, measures.TryGetProperty("log_z", out _) ? Sums(measures) : null);
    }

    private static TokenMeasures Token(JsonElement token)
    {
        var (first, byName) = Aligned(token);
        return new TokenMeasures
        {
            Id = token.GetProperty("id").GetInt32(),
            Text = token.Text("token") ?? "",
            LogProb = token.Finite("logprob"),
            LogProbReference = token.Finite("logprob_reference"),
            KlToReference = token.Finite("kl_to_reference"),
            LogZ = token.Finite("log_z"),
            Aligned = first,
            AlignedByName = byName,
            TopReference = Top(token.List("top_reference")),
            TopMixture = Top(token.List("top_mixture")),
        };
    }

    private static MeasureSums Sums(JsonElement sums)
    {
        var (first, byName) = Aligned(sums);
        return new MeasureSums
        {
            LogProb = sums.Finite("logprob"),
            LogProbReference = sums.Finite("logprob_reference"),
            KlToReference = sums.Finite("kl_sequence"),
            LogZ = sums.Finite("log_z"),
            LogWeight = sums.Number("log_weight"),
            LogWeightUndefined = sums.Text("log_weight_undefined"),
            Aligned = first,
            AlignedByName = byName,
        };
    }

    private static (AlignedMeasures First, IReadOnlyDictionary<string, AlignedMeasures> ByName) Aligned(JsonElement json)
    {
        if (json.Find("logprobs_aligned") is not { } several)
        {
            var only = new AlignedMeasures(json.Finite("logprob_aligned"), json.Finite("kl_to_aligned"), json.Finite("implicit_reward"),
                Top(json.List("top_aligned")));
            return (only, new Dictionary<string, AlignedMeasures>());
        }
        var (kls, rewards, tops) = (json.GetProperty("kls_to_aligned"), json.GetProperty("implicit_rewards"), json.Find("tops_aligned"));
        AlignedMeasures Of(string name) => new(several.Finite(name), kls.Finite(name), rewards.Finite(name),
            Top(tops is { } lists ? lists.List(name) : []));
        var names = several.EnumerateObject().Select(entry => entry.Name).ToList();
        var byName = names.ToDictionary(name => name, Of);
        return (byName[names[0]], byName);
    }

    private static IReadOnlyList<LikelyToken> Top(IEnumerable<JsonElement> tokens) =>
    [
        .. tokens.Select(token =>
            new LikelyToken(token.GetProperty("id").GetInt32(), token.Text("token") ?? "", token.Finite("logprob"))),
    ];
}
