using DeRa.Lab.Objectives;
using static TorchSharp.torch;

namespace DeRa.Lab.Tests.Objectives;

/// <summary>
/// Prompts whose completions are few enough to enumerate: a policy is a table of next-token logits, a row for each prompt and
/// prefix, and every distribution over completions is a list of probabilities. Reference and reward are random.
/// </summary>
internal sealed class TabularSpace
{
    private readonly int _vocabulary;
    private readonly int _length;

    // The cell of a prompt's table that each token of each completion is drawn by.
    private readonly List<int[]> _completions = [];
    private readonly double[][] _rewardsByPrompt;

    // [prompts · completions, length]: the cells of all tables, and where there is a token.
    private readonly long[] _cells;
    private readonly bool[] _mask;
    private int _cellsPerPrompt;

    // After endToken a completion is over; without one all have the full length. Rewards lie within ±rewardScale.
    public TabularSpace(int seed, int vocabulary, int length, int prompts, int? endToken = null, double rewardScale = 1)
    {
        (_vocabulary, _length, Prompts) = (vocabulary, length, prompts);
        Enumerate([], endToken);
        var rows = Enumerable.Range(0, prompts * Count).ToArray();
        _cells = [.. rows.SelectMany(Cells)];
        _mask = [.. rows.SelectMany(Mask)];
        var random = new Random(seed);
        ReferenceLogits = Repeat(prompts * _cellsPerPrompt, () => 1.6 * random.NextDouble() - 0.8);
        _rewardsByPrompt = Repeat(prompts, () => Repeat(Count, () => rewardScale * (2 * random.NextDouble() - 1)));
    }

    public int Prompts { get; }

    /// <summary>Completions of a prompt.</summary>
    public int Count => _completions.Count;

    /// <summary>[prompts · prefixes · vocabulary].</summary>
    public double[] ReferenceLogits { get; }

    public double[] Rewards(int prompt) => _rewardsByPrompt[prompt];

    public double[] Reference(int prompt) => Probabilities(ReferenceLogits, prompt);

    /// <summary>A table as a tensor [prompts · prefixes, vocabulary].</summary>
    public Tensor Table(double[] logits, ScalarType type = ScalarType.Float32) => tensor(logits).reshape(-1, _vocabulary).to(type);

    /// <summary>The probability of each completion, by multiplying softmaxes in plain loops.</summary>
    public double[] Probabilities(double[] logits, int prompt)
    {
        var tokens = logits.AsSpan(prompt * _cellsPerPrompt, _cellsPerPrompt).ToArray()
            .Chunk(_vocabulary).SelectMany(row => row.Select(logit => Math.Exp(logit) / row.Sum(Math.Exp))).ToArray();
        return [.. _completions.Select(completion => completion.Aggregate(1.0, (product, cell) => product * tokens[cell]))];
    }

    /// <summary>
    /// The completions of rows (prompt · Count + completion) with what two tables [prompts · prefixes, vocabulary] say of
    /// them: the policy's, which may carry a gradient, and the one that the rows were drawn from.
    /// </summary>
    public SampleBatch Batch(Tensor policy, Tensor proposal, int[] rows, int completionsPerPrompt, int step = 0)
    {
        var cells = tensor(Gather(_cells, rows));
        var rewards = rows.Select(row => (float)_rewardsByPrompt[row / Count][row % Count]).ToArray();
        return new(LogProbs(policy, cells), LogProbs(Table(ReferenceLogits, policy.dtype), cells), LogProbs(proposal, cells),
            tensor(Gather(_mask, rows)).reshape(-1, _length), tensor(rewards), completionsPerPrompt, step);
    }

    private Tensor LogProbs(Tensor table, Tensor cells) =>
        nn.functional.log_softmax(table, 1).reshape(-1).index_select(0, cells).reshape(-1, _length);

    private T[] Gather<T>(T[] table, int[] rows)
    {
        var gathered = new T[rows.Length * _length];
        for (var i = 0; i < rows.Length; i++) Array.Copy(table, rows[i] * _length, gathered, i * _length, _length);
        return gathered;
    }

    // Padding points at cell 0, a log-probability that must not count.
    private IEnumerable<long> Cells(int row)
    {
        var completion = _completions[row % Count];
        var prompt = (long)(row / Count) * _cellsPerPrompt;
        return completion.Select(cell => prompt + cell).Concat(Enumerable.Repeat(0L, _length - completion.Length));
    }

    private IEnumerable<bool> Mask(int row)
    {
        var tokens = _completions[row % Count].Length;
        return Enumerable.Range(0, _length).Select(t => t < tokens);
    }

    private void Enumerate(int[] cells, int? endToken)
    {
        if (cells.Length == _length || (cells.Length > 0 && cells[^1] % _vocabulary == endToken))
        {
            _completions.Add(cells);
            return;
        }
        var row = _cellsPerPrompt;
        _cellsPerPrompt += _vocabulary;
        for (var token = 0; token < _vocabulary; token++) Enumerate([.. cells, row + token], endToken);
    }

    private static T[] Repeat<T>(int count, Func<T> draw) => [.. Enumerable.Range(0, count).Select(_ => draw())];
}
