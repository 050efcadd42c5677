using DeRa.Engine.Scheduling;
using DeRa.Torch.Native;
using Xunit;

namespace DeRa.Torch.Tests.Execution;

/// <summary>
/// Models that run a branch in different steps and at different lengths, as when they take turns: each checks the token that the
/// other has guessed. To the last bit, the plain path's tokens and distributions come out.
/// </summary>
public sealed class TurnsTests
{
    private const int OutputTokens = 40;
    private static readonly int[] Prompt = [1, 88, 84, 288, 184, 263, 281];

    [Theory]
    [InlineData(0.2, "float32"), InlineData(0.5, "float32"), InlineData(1.5, "float32"), InlineData(-0.5, "float32")]
    [InlineData(0.5, "bfloat16"), InlineData(1.5, "bfloat16"), InlineData(0.5, "float16")]
    public void Models_that_take_turns_decide_the_tokens_of_the_plain_path(double strength, string type)
    {
        using var executor = GoldenPair.Load(GoldenPair.Options() with { DType = DTypeOption.Parse(type) }).Executor;
        var plain = new TestSequence(Prompt, strength, [0, 1, 2]).Run(executor, OutputTokens);
        var turns = new Branch(executor, strength);
        while (turns.Decided.Count < OutputTokens) turns.Step();
        Assert.Equal(plain.Output, turns.Decided.Select(result => result.Token));
        Assert.Equal(plain.LogProbs.SelectMany(item => item.Top), turns.Decided.SelectMany(result => result.LogProbs!.Top));
        // Some guesses were right, or nothing past the frontier was ever used.
        Assert.InRange(turns.Steps, OutputTokens, 2 * OutputTokens - 1);
    }

    /// <summary>One branch of two models; <c>turns.py</c> with real ones.</summary>
    private sealed class Branch(IStepExecutor executor, double strength)
    {
        private readonly List<int> _tokens = [.. Prompt];
        private readonly int[] _computed = [0, 0];
        private readonly HashSet<(int Model, int Position)> _kept = [];
        private int? _guess;
        private int _model;

        public List<ReadoutResult> Decided { get; } = [];

        public int Steps { get; private set; }

        /// <summary>The model whose turn it is runs what it lacks; what is known then is decided, and a token guessed.</summary>
        public void Step()
        {
            Steps++;
            var frontier = _tokens.Count; // the position to decide
            int[] text = _guess is { } guess ? [.. _tokens, guess] : [.. _tokens];
            var decides = _kept.Contains((1 - _model, frontier));
            var outputs = text.Length - frontier + 1;
            var pass = new ModelPass(_model, [Row(text, outputs)]);
            var results = executor.Execute(new StepPlan([pass], [.. Readouts(frontier, outputs, decides)])).Readouts;
            _computed[_model] = text.Length;
            for (var position = frontier; position <= text.Length; position++) _kept.Add((_model, position));
            Commit(frontier, results, decides);
            _model = 1 - _model;
        }

        private PassRow Row(int[] text, int outputs) => new()
        {
            Branch = 0,
            Model = _model,
            Tokens = text.AsMemory(_computed[_model]),
            Position = _computed[_model],
            BlockTable = [5, 3, 4],
            OutputCount = outputs,
            KeptSlots = [.. Enumerable.Range(text.Length + 1 - outputs, outputs).Select(position => Slot(_model, position))],
        };

        /// <summary>The decision, where the other model has spoken; then this model's guess after its last token.</summary>
        private IEnumerable<Readout> Readouts(int frontier, int outputs, bool decides)
        {
            var (own, other) = (LogitSource.Of(0, 0), LogitSource.Kept(Slot(1 - _model, frontier)));
            if (decides) yield return Read(strength, _model == 0 ? [own, other] : [other, own]);
            if (outputs == 2 || !decides) yield return Read(_model, [LogitSource.Of(0, outputs - 1)]);
        }

        private void Commit(int frontier, IReadOnlyList<ReadoutResult> results, bool decides)
        {
            var right = true;
            if (decides)
            {
                right = _guess == results[0].Token;
                Decided.Add(results[0]);
                _tokens.Add(results[0].Token);
                // What this model has run past the frontier stood on another token.
                if (!right) _computed[_model] = frontier;
                if (!right) _kept.Remove((_model, frontier + 1));
            }
            _guess = right && results.Count > (decides ? 1 : 0) ? results[^1].Token : null;
        }

        private static Readout Read(double strengths, IReadOnlyList<LogitSource> sources) => new()
        {
            Branch = 0,
            Strengths = strengths,
            Sources = sources,
            Sampling = TestSequence.Greedy(GoldenPair.VocabularySize),
        };

        private static int Slot(int model, int position) => 2 * (position % 2) + model;
    }
}
