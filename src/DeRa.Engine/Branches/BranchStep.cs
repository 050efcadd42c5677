namespace DeRa.Engine.Branches;

/// <summary>A branch's part of the step under way. Engine thread only; reused from step to step.</summary>
/// <param name="modelCount">Models of the pair.</param>
internal sealed class BranchStep(int modelCount)
{
    private readonly int[]?[] _keptSlots = new int[]?[modelCount];

    /// <summary>For each model, the tokens of its context that it will have run; 0 = it runs none in this step.</summary>
    public int[] End { get; } = new int[modelCount];

    /// <summary>For each model, how many tokens it can run now: it lacks them, and nobody else is about to run them.</summary>
    public int[] Ready { get; } = new int[modelCount];

    /// <summary>For each model, its row in its runner's pass.</summary>
    public int[] Row { get; } = new int[modelCount];

    /// <summary>For each model, after how many of its row's last tokens logits are wanted.</summary>
    public int[] Outputs { get; } = new int[modelCount];

    /// <summary>For each model, the largest output index at which its row will be known; −1 where none of interest is.</summary>
    public int[] LastRow { get; } = new int[modelCount];

    /// <summary>Passes that run its last token or guesses, once it has a token of its own.</summary>
    public int DecodePasses { get; set; }

    /// <summary>Whether tokens of the prompt are scored.</summary>
    public bool Scores { get; set; }

    /// <summary>The first of its readouts: scores, then decisions, then guesses.</summary>
    public int FirstReadout { get; set; }

    /// <summary>Scores among its readouts.</summary>
    public int ScoreCount { get; set; }

    /// <summary>Tokens that may be decided, from the first that is not.</summary>
    public int DecisionCount { get; set; }

    /// <summary>The output index of the first guess.</summary>
    public int FirstGuess { get; set; }

    /// <summary>Guesses among its readouts.</summary>
    public int GuessCount { get; set; }

    /// <summary>An array for a row's kept slots, the same in each step.</summary>
    /// <param name="model">The row's model.</param>
    /// <param name="count">Its length.</param>
    public int[] KeptSlots(int model, int count) =>
        _keptSlots[model] is { } own && own.Length == count ? own : _keptSlots[model] = new int[count];

    /// <summary>Begins another step, with nothing in it.</summary>
    public void Clear()
    {
        Array.Clear(End);
        Array.Clear(Outputs);
        (DecodePasses, Scores, ScoreCount, DecisionCount, GuessCount) = (0, false, 0, 0, 0);
    }
}
