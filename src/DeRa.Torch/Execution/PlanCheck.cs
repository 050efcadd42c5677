using DeRa.Engine.Scheduling;

namespace DeRa.Torch.Execution;

/// <summary>
/// The last check before tokens, block ids and slots become indices: on a GPU, one that is out of range would read or overwrite
/// another sequence's memory. A plan that fails it is a bug of the scheduler, not a bad request.
/// </summary>
internal readonly struct PlanCheck(StepPlan plan, ExecutorLimits limits)
{
    /// <exception cref="ArgumentException">The plan is empty, or a part of it is outside the limits.</exception>
    public void Verify()
    {
        if (plan.Passes.Count + plan.Readouts.Count + plan.BlockCopies.Count == 0)
            throw Refused("a step needs a pass, a readout or a block copy");
        for (var i = 0; i < plan.BlockCopies.Count; i++)
            if (CopyFault(plan.BlockCopies[i]) is { } fault) throw Refused($"block copy {i} of the step: {fault}");
        for (var i = 0; i < plan.Passes.Count; i++) VerifyPass(i);
        for (var i = 0; i < plan.Readouts.Count; i++)
            if (ReadoutFault(plan.Readouts[i]) is { } fault) throw Refused($"readout {i} of the step: {fault}");
    }

    private static ArgumentException Refused(string fault) => new(fault);

    private void VerifyPass(int index)
    {
        var pass = plan.Passes[index];
        if ((uint)pass.Runner >= (uint)limits.Runners.Count)
            throw Refused($"pass {index} of the step: runner {pass.Runner} is outside [0, {limits.Runners.Count})");
        for (var other = 0; other < index; other++)
            if (plan.Passes[other].Runner == pass.Runner)
                throw Refused($"pass {index} of the step: runner {pass.Runner} has pass {other} already");
        if (pass.Rows.Count == 0) throw Refused($"pass {index} of the step: no rows");
        for (var i = 0; i < pass.Rows.Count; i++)
            if (RowFault(pass.Rows[i], pass.Runner) is { } fault) throw Refused($"row {i} of pass {index} of the step: {fault}");
    }

    private string? CopyFault(BlockCopy copy) =>
        Outside("block", copy.From, limits.BlockCount) ?? Outside("block", copy.To, limits.BlockCount);

    private string? RowFault(PassRow row, int runner)
    {
        if (!Runs(runner, row.Model)) return $"model {row.Model} is not one of runner {runner}";
        var end = (long)row.Position + row.Tokens.Length;
        if (row.Tokens.Length == 0) return "no tokens";
        if (row.Position < 0 || end > limits.ContextTokens)
            return $"positions [{row.Position}, {end}) are outside the context of {limits.ContextTokens} tokens";
        if (row.OutputCount < 0 || row.OutputCount > row.Tokens.Length)
            return $"{row.OutputCount} outputs of {row.Tokens.Length} tokens";
        if (row.KeptSlots.Count > row.OutputCount) return $"{row.KeptSlots.Count} slots for {row.OutputCount} outputs";
        foreach (var token in row.Tokens.Span)
            if (Outside("token", token, limits.VocabularySize) is { } fault) return fault;
        for (var i = 0; i < row.KeptSlots.Count; i++)
            if (Outside("slot", row.KeptSlots[i], limits.LogitSlots) is { } fault) return fault;
        return BlockFault(row, (int)((end + limits.BlockTokens - 1) / limits.BlockTokens));
    }

    private string? BlockFault(PassRow row, int blocks)
    {
        if (row.BlockTable.Count < blocks) return $"{row.BlockTable.Count} blocks where {blocks} are needed";
        for (var i = 0; i < blocks; i++)
            if (Outside("block", row.BlockTable[i], limits.BlockCount) is { } fault) return fault;
        return null;
    }

    private string? ReadoutFault(Readout readout)
    {
        if (!readout.Strengths.IsFinite) return "a strength is not finite";
        var models = readout.Strengths.ActiveModels;
        if (Outside("model", models[^1], limits.ModelCount) is { } outside) return outside;
        if (readout.Sources.Count != models.Length) return $"{readout.Sources.Count} sources for {models.Length} active models";
        var unknown = 0;
        for (var i = 0; i < models.Length; i++)
            if (!readout.Sources[i].IsKnown) unknown++;
            else if (SourceFault(readout.Sources[i], models[i]) is { } fault) return $"source {i}: {fault}";
        if (unknown == models.Length) return "no source is known";
        if (readout.Sampling?.Measures is not null && models.Length != limits.ModelCount)
            return $"measures are wanted, and {models.Length} of {limits.ModelCount} models are active";
        var scores = readout.Score is not null || readout.Sweep is not null || readout.Sampling?.LogProbs is not null
            || readout.Sampling?.Measures is not null;
        return unknown > 0 && scores ? "log-probabilities are wanted, and not all sources are known" : null;
    }

    private string? SourceFault(LogitSource source, int model)
    {
        if (source.IsKept) return Outside("slot", source.Slot, limits.LogitSlots);
        var pass = 0;
        while (pass < plan.Passes.Count && !Runs(plan.Passes[pass].Runner, model)) pass++;
        if (pass == plan.Passes.Count) return $"model {model} has no pass";
        var rows = plan.Passes[pass].Rows;
        if (Outside("row", source.Row, rows.Count) is { } fault) return fault;
        var row = rows[source.Row];
        return row.Model == model ? Outside("output", source.Output, row.OutputCount)
            : $"row {source.Row} is model {row.Model}'s, not model {model}'s";
    }

    private bool Runs(int runner, int model)
    {
        var models = limits.Runners[runner].Models;
        for (var i = 0; i < models.Count; i++)
            if (models[i] == model) return true;
        return false;
    }

    private static string? Outside(string what, int value, int end) =>
        (uint)value < (uint)end ? null : $"{what} {value} is outside [0, {end})";
}
