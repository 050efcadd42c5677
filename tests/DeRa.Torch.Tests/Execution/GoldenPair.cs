using DeRa.Engine.Requests;
using DeRa.Engine.Scheduling;
using DeRa.Testing;
using DeRa.Torch.Execution;
using DeRa.Torch.Native;
using Microsoft.Extensions.Logging.Abstractions;

namespace DeRa.Torch.Tests.Execution;

/// <summary>Loads pairs for tests, in float32 on the CPU unless said otherwise.</summary>
internal static class GoldenPair
{
    public const int VocabularySize = 300;

    public static PairOptions Options(string reference = "pair/sft", string aligned = "pair/aligned") => new()
    {
        ReferencePath = GoldenData.Committed(reference),
        Aligned = [new("aligned", GoldenData.Committed(aligned))],
        Device = DeviceOption.Cpu,
        DType = DTypeOption.Parse("float32"),
        CacheTokens = 2048,
        BlockTokens = 16,
    };

    public static LoadedPair Load(PairOptions? options = null, int vocabularySize = VocabularySize) =>
        PairLoader.Load(options ?? Options(), vocabularySize, progress: null, NullLogger.Instance);
}

/// <summary>One sequence under test: which of its tokens ran, and which blocks it owns.</summary>
internal sealed class TestSequence(int[] prompt, AlignmentStrengths strength, IReadOnlyList<int> blocks)
{
    private readonly List<int> _tokens = [.. prompt];

    /// <summary>Prompt and output.</summary>
    public IReadOnlyList<int> Tokens => _tokens;

    /// <summary>What was sampled so far.</summary>
    public IEnumerable<int> Output => _tokens.Skip(prompt.Length);

    /// <summary>The log-probabilities that came with each sampled token.</summary>
    public List<DeRa.Engine.Requests.TokenLogProbs> LogProbs { get; } = [];

    public int Position { get; private set; }

    /// <summary>
    /// The next row: as many of the tokens that have not run as <paramref name="most"/>; samples greedily after the last.
    /// </summary>
    public StepRow NextRow(int most = int.MaxValue, int? logProbs = GoldenPair.VocabularySize)
    {
        var count = Math.Min(most, _tokens.Count - Position);
        var isLast = Position + count == _tokens.Count;
        return new StepRow
        {
            Tokens = _tokens.GetRange(Position, count).ToArray(),
            Position = Position,
            BlockTable = blocks,
            Strengths = strength,
            Sampling = isLast ? Greedy(logProbs) : null,
        };
    }

    /// <summary>Takes what the row gave.</summary>
    public void Commit(StepRow row, RowResult result)
    {
        Position += row.Tokens.Length;
        if (row.Sampling is null) return;
        _tokens.Add(result.Token);
        if (result.LogProbs is { } logProbs) LogProbs.Add(logProbs);
    }

    /// <summary>Runs alone until so many tokens have been sampled.</summary>
    public TestSequence Run(IStepExecutor executor, int outputTokens, int chunk = int.MaxValue)
    {
        while (Output.Count() < outputTokens)
        {
            var row = NextRow(chunk);
            Commit(row, executor.Execute(new StepPlan([row])).Rows[0]);
        }
        return this;
    }

    public static SamplingRow Greedy(int? logProbs) => new()
    {
        Parameters = new() { Temperature = 0 },
        NoiseKey = 0,
        History = ReadOnlyMemory<int>.Empty,
        PromptTokens = 0,
        LogProbs = logProbs,
    };

    /// <summary>The whole distribution of one step, by token id.</summary>
    public static double[] Distribution(DeRa.Engine.Requests.TokenLogProbs logProbs)
    {
        var distribution = new double[logProbs.Top.Count];
        foreach (var (token, logProb) in logProbs.Top) distribution[token] = logProb;
        return distribution;
    }
}
