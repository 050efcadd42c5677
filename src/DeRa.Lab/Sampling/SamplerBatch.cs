using DeRa.Lab.Models;
using DeRa.Torch.Native;
using static TorchSharp.torch;

namespace DeRa.Lab.Sampling;

/// <summary>The rows of one <see cref="Sampler"/> call: which still run, what each has sampled, and the models' caches.</summary>
internal sealed class SamplerBatch : IDisposable
{
    /// <summary>Finished rows are dropped from the caches once their share exceeds this: copying the caches has a cost too.</summary>
    private const double IdleShare = 0.3;

    private readonly IReadOnlyList<int[]> _prompts;
    private readonly List<int>[] _drawn;
    private readonly bool[] _finished;
    private readonly (TrainableDecoder Model, double Weight, DenseCache Cache)[] _parts;
    private readonly Generator _generator;
    private readonly Device _device;
    private readonly double _minP;
    private readonly int _endToken, _maxTokens, _longest;
    private int[] _rows; // row in the caches → prompt

    public SamplerBatch(Mixture mixture, IReadOnlyList<int[]> prompts, int endToken, int maxTokens, int longest, long seed)
    {
        (_prompts, _endToken, _maxTokens, _longest) = (prompts, endToken, maxTokens, longest);
        _drawn = [.. prompts.Select(_ => new List<int>())];
        _finished = new bool[prompts.Count];
        _rows = [.. Enumerable.Range(0, prompts.Count)];
        _parts = [.. mixture.Parts.Select(part => (part.Model, part.Weight, part.Model.CreateCache(prompts.Count, longest)))];
        _minP = mixture.MinP;
        _device = _parts[0].Model.Device;
        _generator = new Generator((ulong)seed, CPU);
    }

    /// <summary>Tokens that every row has read or sampled.</summary>
    public int Position { get; private set; }

    /// <summary>The completions, in the prompts' order.</summary>
    public IReadOnlyList<SampledText> Results =>
        [.. _prompts.Select((prompt, i) => new SampledText(prompt, [.. _drawn[i]], _drawn[i].Count > 0 && _drawn[i][^1] == _endToken))];

    /// <summary>Reads one more token of every row (first as many as the shortest prompt has); false once no row runs.</summary>
    public bool Step()
    {
        using var scope = NewDisposeScope();
        var count = Position == 0 ? _prompts.Min(prompt => prompt.Length) : 1;
        var input = new long[_rows.Length, count];
        for (var row = 0; row < _rows.Length; row++)
            for (var i = 0; i < count; i++) input[row, i] = TokenAt(_rows[row], Position + i);
        Position += count;
        var tokens = Draw(from_array(input).to(_device));
        for (var row = 0; row < _rows.Length; row++) Take(_rows[row], (int)tokens[row]);
        return Position < _longest && DropIdle();
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var (_, _, cache) in _parts) cache.Dispose();
        _generator.Dispose();
    }

    /// <summary>The token at a position of a row: prompt, then completion; finished rows repeat the end token.</summary>
    private int TokenAt(int row, int position)
    {
        var prompt = _prompts[row];
        if (position < prompt.Length) return prompt[position];
        var drawn = _drawn[row];
        return position - prompt.Length < drawn.Count ? drawn[position - prompt.Length] : _endToken;
    }

    private long[] Draw(Tensor input)
    {
        Tensor? mixed = null;
        foreach (var (model, weight, cache) in _parts)
        {
            var logits = model.Step(input, cache).Times(weight);
            mixed = mixed is null ? logits : mixed.Plus(logits);
        }
        return [.. Sampled(Filtered(mixed!.softmax(-1, ScalarType.Float64))).cpu().data<long>()];
    }

    /// <summary>Probabilities, which need not sum to 1, with those that min-p leaves out at 0.</summary>
    private Tensor Filtered(Tensor probabilities) => _minP == 0 ? probabilities
        : probabilities * (probabilities >= probabilities.amax([-1], keepdim: true).Times(_minP));

    /// <summary>
    /// For each row the first token up to which more than a uniform share of the probability lies. The shares are drawn on the CPU:
    /// TorchSharp has no generator for another device, and the draws are the same on all of them.
    /// </summary>
    /// <param name="probabilities">[rows, vocabulary], float64; in proportion.</param>
    /// <returns>[rows], int64.</returns>
    private Tensor Sampled(Tensor probabilities)
    {
        var (upTo, last) = (probabilities.cumsum(-1), probabilities.size(1) - 1);
        var shares = rand([probabilities.size(0), 1], ScalarType.Float64, generator: _generator).to(_device);
        return (upTo.narrow(1, 0, last) <= shares * upTo.narrow(1, last, 1)).sum(-1);
    }

    private void Take(int row, int token)
    {
        if (_finished[row] || Position < _prompts[row].Length) return;
        _drawn[row].Add(token);
        _finished[row] = token == _endToken || _drawn[row].Count == _maxTokens;
    }

    private bool DropIdle()
    {
        var running = Enumerable.Range(0, _rows.Length).Where(row => !_finished[_rows[row]]).ToArray();
        if (running.Length == 0) return false;
        if (running.Length > _rows.Length * (1 - IdleShare)) return true;
        var kept = tensor(running.Select(row => (long)row).ToArray(), device: _device);
        foreach (var (_, _, cache) in _parts) cache.Keep(kept);
        _rows = [.. running.Select(row => _rows[row])];
        return true;
    }
}
