using DeRa.Engine.Scheduling;
using DeRa.Torch.Native;
using DeRa.Torch.Operators;
using static TorchSharp.torch;

namespace DeRa.Torch.Decoding;

/// <summary>
/// Penalties and logit bias: one entry for each (row, token) that they affect, applied together. A logit l becomes
/// (l &gt; 0 ? l / repetition : l · repetition) − frequency · occurrences − presence + bias.
/// </summary>
internal sealed class TokenAdjustments
{
    private readonly List<long> _places = [];
    private readonly List<int> _occurrences = [];
    private readonly List<float> _repetition = [], _frequency = [], _presence = [], _bias = [];
    private readonly Dictionary<int, int> _entryOfToken = [];

    /// <summary>Applies the adjustments of every row that has any.</summary>
    /// <param name="logits">float32 [rows, vocabulary]; not changed.</param>
    /// <param name="rows">What each row asks for; rows marked in <paramref name="failed"/> are skipped.</param>
    /// <param name="failed">[rows]: true where a row's tokens are outside the vocabulary.</param>
    /// <returns>The adjusted logits; <paramref name="logits"/> itself where no row has any.</returns>
    public static Tensor Apply(Tensor logits, IReadOnlyList<LogitRow> rows, bool[] failed)
    {
        var adjustments = new TokenAdjustments();
        for (var row = 0; row < rows.Count; row++)
            if (rows[row].Sampling is { } sampling && !failed[row]) adjustments.AddRow(sampling, row * logits.shape[1]);
        return adjustments._places.Count == 0 ? logits : adjustments.Apply(logits);
    }

    private Tensor Apply(Tensor logits)
    {
        var device = logits.device;
        var places = DeviceTensor.Upload(tensor(_places.ToArray()), device);
        var flat = logits.reshape(-1);
        var touched = flat.index_select(0, places);
        var repetition = DeviceTensor.Upload(tensor(_repetition.ToArray()), device);
        var penalised = where(touched.gt(Arithmetic.Zero), touched / repetition, touched * repetition);
        var adjusted = penalised.sub_(DeviceTensor.Upload(tensor(_frequency.ToArray()), device))
            .sub_(DeviceTensor.Upload(tensor(_presence.ToArray()), device))
            .PlusInPlace(DeviceTensor.Upload(tensor(_bias.ToArray()), device));
        return flat.index_copy(0, places, adjusted).view(logits.shape);
    }

    private void AddRow(SamplingRow sampling, long rowStart)
    {
        _entryOfToken.Clear();
        if (sampling.Parameters.HasPenalties) AddPenalties(sampling, rowStart);
        foreach (var (token, bias) in sampling.Parameters.LogitBias) _bias[Entry(token, rowStart)] = bias;
    }

    /// <summary>Repetition counts prompt and output, frequency and presence only the output, as in vLLM.</summary>
    private void AddPenalties(SamplingRow sampling, long rowStart)
    {
        var parameters = sampling.Parameters;
        var history = sampling.History.Span;
        for (var i = 0; i < history.Length; i++)
        {
            var entry = Entry(history[i], rowStart);
            _repetition[entry] = parameters.RepetitionPenalty;
            if (i < sampling.PromptTokens) continue;
            _frequency[entry] = parameters.FrequencyPenalty * ++_occurrences[entry];
            _presence[entry] = parameters.PresencePenalty;
        }
    }

    private int Entry(int token, long rowStart)
    {
        if (_entryOfToken.TryGetValue(token, out var entry)) return entry;
        _entryOfToken.Add(token, entry = _places.Count);
        _places.Add(rowStart + token);
        _occurrences.Add(0);
        _repetition.Add(1);
        _frequency.Add(0);
        _presence.Add(0);
        _bias.Add(0);
        return entry;
    }
}
