using DeRa.Engine.Requests;
using DeRa.Engine.Scheduling;

namespace DeRa.Torch.Tests.Execution;

/// <summary>One sequence's part of a plain step: every model that is active in it runs the same tokens.</summary>
internal sealed record TestRow
{
    public required ReadOnlyMemory<int> Tokens { get; init; }

    public required int Position { get; init; }

    public required IReadOnlyList<int> BlockTable { get; init; }

    public required AlignmentStrengths Strengths { get; init; }

    /// <summary>How to sample after the last of the tokens; null where nothing is sampled.</summary>
    public SamplingRow? Sampling { get; init; }

    /// <summary>The tokens to score: entry i follows Tokens[i].</summary>
    public ReadOnlyMemory<int> ScoredTokens { get; init; }

    public int ScoredAlternatives { get; init; }

    /// <summary>All tokens where any is scored, else the last where a token is sampled.</summary>
    public int OutputCount => ScoredTokens.Length > 0 ? Tokens.Length : Sampling is null ? 0 : 1;

    /// <summary>What a model runs of it.</summary>
    public PassRow ToPassRow(int branch, int model) => new()
    {
        Branch = branch,
        Model = model,
        Tokens = Tokens,
        Position = Position,
        BlockTable = BlockTable,
        OutputCount = OutputCount,
    };
}

/// <summary>What a row gave.</summary>
internal sealed record TestResult(IReadOnlyList<ReadoutResult> Readouts)
{
    public string? Error => Readouts.FirstOrDefault(readout => readout.Error is not null).Error;

    /// <summary>The sampled token.</summary>
    public int Token => Readouts[^1].Token;

    public TokenLogProbs? LogProbs => Readouts[^1].LogProbs;

    public IReadOnlyList<TokenLogProbs> ScoredLogProbs => [.. Readouts.Select(readout => readout.Score).OfType<TokenLogProbs>()];
}
