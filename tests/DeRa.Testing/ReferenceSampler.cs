using DeRa.Engine.Requests;
using DeRa.Engine.Scheduling;

namespace DeRa.Testing;

/// <summary>
/// The sampler written a second time, plainly and in double precision, from the rules alone: penalties, bias, masks,
/// temperature, top-k, top-p, min-p, typical, then the token whose log p + Gumbel noise is largest. An oracle for tests.
/// </summary>
public static class ReferenceSampler
{
    /// <summary>λ · aligned + (1 − λ) · reference, rounded once to float32; copies at λ = 0 and 1.</summary>
    public static float[] Mix(float[] reference, float[] aligned, double strength) =>
        strength == 0 ? [.. reference]
        : strength == 1 ? [.. aligned]
        : [.. reference.Zip(aligned, (r, a) => (float)(strength * a + (1 - strength) * r))];

    /// <summary>Natural logarithms of softmax.</summary>
    public static double[] LogProbs(float[] logits)
    {
        var largest = (double)logits.Max();
        var logSum = Math.Log(logits.Sum(logit => Math.Exp(logit - largest)));
        return [.. logits.Select(logit => logit - largest - logSum)];
    }

    /// <summary>The distribution that is sampled from: one a token, sum 1; greedy puts all on one token.</summary>
    public static double[] Distribution(float[] mixedLogits, SamplingRow row)
    {
        var adjusted = Adjust(mixedLogits, row);
        if (row.Parameters.Temperature != 0) return Renormalised(Filter(Softmax(adjusted, row.Parameters.Temperature), row.Parameters));
        var distribution = new double[adjusted.Length];
        distribution[Ranked(adjusted)[0]] = 1;
        return distribution;
    }

    /// <summary>The token that a distribution and a key's noise pick: argmax of log p + g, of equal ones the lowest id.</summary>
    public static int Token(double[] distribution, ulong noiseKey) => Ranked(Scores(distribution, noiseKey))[0];

    /// <summary>The token that a row picks.</summary>
    public static int Token(float[] mixedLogits, SamplingRow row) => Token(Distribution(mixedLogits, row), row.NoiseKey);

    /// <summary>How little would change the token: a sampler of finite precision may differ where a distance is tiny.</summary>
    public static SamplingDistance DistanceToBoundary(float[] mixedLogits, SamplingRow row)
    {
        var adjusted = Adjust(mixedLogits, row);
        var gap = TopTwoGap(adjusted);
        if (row.Parameters.Temperature == 0) return new SamplingDistance(double.PositiveInfinity, double.PositiveInfinity, gap);
        var scores = TopTwoGap(Scores(Distribution(mixedLogits, row), row.NoiseKey));
        return new SamplingDistance(scores, CutDistance(Softmax(adjusted, row.Parameters.Temperature), row.Parameters), gap);
    }

    private static double[] Adjust(float[] logits, SamplingRow row)
    {
        var parameters = row.Parameters;
        var history = row.History.ToArray();
        var output = history[row.PromptTokens..];
        var adjusted = Array.ConvertAll(logits, logit => (double)logit);
        foreach (var token in history.Distinct())
            adjusted[token] *= adjusted[token] > 0 ? 1.0 / parameters.RepetitionPenalty : parameters.RepetitionPenalty;
        foreach (var tokens in output.GroupBy(token => token))
            adjusted[tokens.Key] -= (double)parameters.FrequencyPenalty * tokens.Count() + parameters.PresencePenalty;
        foreach (var (token, bias) in parameters.LogitBias) adjusted[token] += bias;
        return Masked(adjusted, output, parameters);
    }

    /// <summary>−∞ for what may not be sampled; the weaker rules give way where they would leave nothing.</summary>
    private static double[] Masked(double[] logits, int[] output, SamplingParameters parameters)
    {
        bool IsAllowed(int token) => parameters.AllowedTokens?.Contains(token) ?? true;
        bool EndsWord(int token) => parameters.BadWords.Any(word => output.Append(token).TakeLast(word.Count).SequenceEqual(word));
        bool EndsEarly(int token) => output.Length < parameters.MinTokens && parameters.EndTokens.Contains(token);
        Func<int, bool>[] rules =
        [
            token => IsAllowed(token) && !EndsWord(token) && !EndsEarly(token), token => IsAllowed(token) && !EndsWord(token), IsAllowed,
        ];
        var rule = rules.First(rule => Enumerable.Range(0, logits.Length).Any(rule));
        return [.. logits.Select((logit, token) => rule(token) ? logit : double.NegativeInfinity)];
    }

    /// <summary>Tokens, those whose surprise is nearest to the expected one first; of equal ones the lowest id first.</summary>
    private static int[] RankedByTypicality(double[] probabilities)
    {
        var distances = Typicality(probabilities);
        return [.. Enumerable.Range(0, probabilities.Length).Where(token => probabilities[token] > 0).OrderBy(token => distances[token])];
    }

    private static double[] Typicality(double[] probabilities)
    {
        var entropy = probabilities.Where(p => p > 0).Sum(p => -p * Math.Log(p));
        return [.. probabilities.Select(p => Math.Abs(-Math.Log(p) - entropy))];
    }

    private static double[] KeepTypical(double[] probabilities, double reach)
    {
        if (reach >= 1) return probabilities;
        var kept = new List<int>();
        foreach (var token in RankedByTypicality(probabilities))
            if (kept.Sum(other => probabilities[other]) < reach) kept.Add(token);
        return Keep(probabilities, kept);
    }

    /// <summary>Between the sums before and after the last kept token and typical_p, and between its surprise and the next one's.</summary>
    private static double TypicalCutDistance(double[] probabilities, double reach)
    {
        if (reach >= 1) return double.PositiveInfinity;
        var (ranked, distances) = (RankedByTypicality(probabilities), Typicality(probabilities));
        var count = KeepTypical(probabilities, reach).Count(p => p > 0);
        var before = ranked.Take(count - 1).Sum(token => probabilities[token]);
        var sums = Math.Min(reach - before, Math.Abs(before + probabilities[ranked[count - 1]] - reach));
        // Tokens as likely as each other are one place, which id decides about.
        var gap = count < ranked.Length && probabilities[ranked[count]] != probabilities[ranked[count - 1]]
            ? distances[ranked[count]] - distances[ranked[count - 1]] : double.PositiveInfinity;
        return Math.Min(sums, gap);
    }

    private static double[] Softmax(double[] logits, double temperature)
    {
        var largest = logits.Max();
        return Renormalised([.. logits.Select(logit => Math.Exp((logit - largest) / temperature))]);
    }

    /// <summary>Zeroes what each filter drops; top-p looks at what top-k left, renormalised.</summary>
    private static double[] Filter(double[] probabilities, SamplingParameters parameters)
    {
        var kept = Renormalised(Keep(probabilities, Ranked(probabilities).Take(TopK(probabilities, parameters))));
        if (parameters.TopP < 1) kept = Keep(kept, Ranked(kept).Take(TopPCount(kept, parameters.TopP)));
        return KeepTypical(Renormalised(KeepMinP(kept, parameters.MinP)), parameters.TypicalP);
    }

    private static double[] KeepMinP(double[] probabilities, double fraction)
    {
        var least = fraction * probabilities.Max();
        return Keep(probabilities, Enumerable.Range(0, probabilities.Length).Where(token => probabilities[token] >= least));
    }

    private static int TopK(double[] probabilities, SamplingParameters parameters) =>
        parameters.TopK == 0 ? probabilities.Length : Math.Min(parameters.TopK, probabilities.Length);

    private static int TopPCount(double[] probabilities, double reach)
    {
        var sum = 0.0;
        var count = 0;
        foreach (var token in Ranked(probabilities))
        {
            if (sum >= reach) break;
            sum += probabilities[token];
            count++;
        }
        return count;
    }

    private static double[] Scores(double[] distribution, ulong noiseKey) =>
        [.. distribution.Select((p, token) => Math.Log(p) + GumbelNoise.Of(noiseKey, token))];

    private static double TopTwoGap(double[] values)
    {
        var ranked = Ranked(values);
        return ranked.Length > 1 ? values[ranked[0]] - values[ranked[1]] : double.PositiveInfinity;
    }

    private static double CutDistance(double[] probabilities, SamplingParameters parameters)
    {
        var ranked = Ranked(probabilities);
        var distance = double.PositiveInfinity;
        var count = TopK(probabilities, parameters);
        if (count < ranked.Length && probabilities[ranked[count - 1]] > 0)
            distance = Math.Log(probabilities[ranked[count - 1]] / probabilities[ranked[count]]);
        var kept = Renormalised(Keep(probabilities, ranked.Take(count)));
        if (parameters.TopP < 1)
        {
            var reached = TopPCount(kept, parameters.TopP);
            var before = ranked.Take(reached - 1).Sum(token => kept[token]);
            var through = before + kept[ranked[reached - 1]];
            distance = Math.Min(distance, Math.Min(parameters.TopP - before, Math.Abs(through - parameters.TopP)));
            kept = Keep(kept, ranked.Take(reached));
        }
        if (parameters.MinP > 0)
            foreach (var probability in kept.Where(probability => probability > 0))
                distance = Math.Min(distance, Math.Abs(Math.Log(probability / (parameters.MinP * kept.Max()))));
        return Math.Min(distance, TypicalCutDistance(Renormalised(KeepMinP(kept, parameters.MinP)), parameters.TypicalP));
    }

    /// <summary>Tokens, most likely first; of equal ones the lowest id first.</summary>
    private static int[] Ranked(double[] values) => [.. Enumerable.Range(0, values.Length).OrderByDescending(token => values[token])];

    private static double[] Keep(double[] probabilities, IEnumerable<int> tokens)
    {
        var kept = new double[probabilities.Length];
        foreach (var token in tokens) kept[token] = probabilities[token];
        return kept;
    }

    private static double[] Renormalised(double[] probabilities)
    {
        var sum = probabilities.Sum();
        return Array.ConvertAll(probabilities, probability => probability / sum);
    }
}

/// <summary>How near a row's choice lies to another one; infinite where there is no such boundary.</summary>
/// <param name="TopTwoScores">Gap of the two largest sums of log p and Gumbel noise.</param>
/// <param name="Cut">
/// What would flip the nearest top-k, top-p, min-p or typical cut: for top-p and typical a probability or a surprise, for the others a
/// difference of logits divided by the temperature.
/// </param>
/// <param name="TopTwoLogits">Gap of the two largest logits, after penalties and bias, before temperature.</param>
public sealed record SamplingDistance(double TopTwoScores, double Cut, double TopTwoLogits);
