using DeRa.Engine.Scheduling;

namespace DeRa.Torch.Execution;

/// <summary>
/// The last check before tokens and block ids become indices: on a GPU, one that is out of range would read or overwrite another
/// sequence's memory. A plan that fails it is a bug of the scheduler, not a bad request.
/// </summary>
internal static class PlanCheck
{
    /// <exception cref="ArgumentException">The plan is empty, or a row is outside the limits.</exception>
    public static void Verify(StepPlan plan, ExecutorLimits limits, int alignedModels)
    {
        if (plan.Rows.Count == 0) throw new ArgumentException("a step needs at least one row", nameof(plan));
        for (var i = 0; i < plan.Rows.Count; i++)
            if (Fault(plan.Rows[i], limits, alignedModels) is { } fault)
                throw new ArgumentException($"row {i} of the step: {fault}", nameof(plan));
    }

    private static string? Fault(StepRow row, ExecutorLimits limits, int alignedModels)
    {
        var end = (long)row.Position + row.Tokens.Length;
        if (row.Tokens.Length == 0) return "no tokens";
        if (row.Position < 0 || end > limits.ContextTokens)
            return $"positions [{row.Position}, {end}) are outside the context of {limits.ContextTokens} tokens";
        if (row.ScoredTokens.Length > row.Tokens.Length)
            return $"{row.ScoredTokens.Length} tokens to score after {row.Tokens.Length} tokens";
        if (!row.Strengths.IsFinite) return "a strength is not finite";
        if (row.Strengths.Count > alignedModels)
            return $"strengths for {row.Strengths.Count} aligned models where there are {alignedModels}";
        foreach (var token in row.Tokens.Span)
            if ((uint)token >= (uint)limits.VocabularySize) return $"token {token} is outside the vocabulary [0, {limits.VocabularySize})";
        return BlockFault(row, (int)((end + limits.BlockTokens - 1) / limits.BlockTokens), limits.BlockCount);
    }

    private static string? BlockFault(StepRow row, int blocks, int blockCount)
    {
        if (row.BlockTable.Count < blocks) return $"{row.BlockTable.Count} blocks where {blocks} are needed";
        for (var i = 0; i < blocks; i++)
            if ((uint)row.BlockTable[i] >= (uint)blockCount) return $"block {row.BlockTable[i]} is outside the pool [0, {blockCount})";
        return null;
    }
}
