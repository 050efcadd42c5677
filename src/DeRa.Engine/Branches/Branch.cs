using DeRa.Engine.Requests;

namespace DeRa.Engine.Branches;

/// <summary>
/// One text that grows: what is decided of it, what is guessed to follow, and how far each model has come. All state belongs to the
/// engine's thread, but for the clock and the channel that carries events out.
/// </summary>
/// <remarks>
/// Output index j is the j-th token after the prompt, from 0. A model's row at j are its logits for that token; it has them once it has run
/// all tokens before. Rows that are needed later are kept in slots, of which the branch has <see cref="RowsKept"/> for each model.
/// </remarks>
internal sealed class Branch
{
    /// <summary>Guesses that stand at once at most: passes of up to four tokens cost about what one of a single token does.</summary>
    public const int MaxGuesses = 3;

    /// <summary>Rows that are kept for each model: one for the next token, and one after each guess.</summary>
    public const int RowsKept = MaxGuesses + 1;

    private readonly BranchContext[] _contexts;
    private readonly int[] _contextOfModel;
    private readonly ModelProgress[] _progress;
    private readonly BranchStrengths _strengths;

    /// <param name="id">Ties what a step has of this branch together; unique among those that run.</param>
    /// <param name="request">What it generates.</param>
    /// <param name="modelCount">Models of the pair.</param>
    /// <param name="clock">When things happen to it.</param>
    public Branch(int id, GenerationRequest request, int modelCount, BranchClock clock)
    {
        (Id, Request, Clock, _strengths) = (id, request, clock, new BranchStrengths(request, modelCount));
        (Unit, PromptScores) = (new SchedulingUnit(this), new PromptScores(request, isDone: false));
        (Events, Step, Guesses) = (new BranchEvents(), new BranchStep(modelCount), new NGramGuesses());
        _progress = new ModelProgress[modelCount];
        _contextOfModel = new int[modelCount];
        var contexts = new List<BranchContext> { new(request.PromptTokens) };
        for (var model = 0; model < modelCount; model++)
            if (request.PromptOfModel.TryGetValue(model, out var prompt))
            {
                _contextOfModel[model] = contexts.Count;
                contexts.Add(new BranchContext(prompt));
            }
        _contexts = [.. contexts];
    }

    private Branch(int id, Branch from, int stream)
    {
        (Id, Request, Clock, _strengths, Stream, DecidedTokens) =
            (id, from.Request, new BranchClock(from.Clock.Submitted) { Admitted = from.Clock.Admitted },
                new BranchStrengths(from._strengths), stream, from.DecidedTokens);
        (Unit, CacheScope) = (new SchedulingUnit(this) { Client = from.Unit.Client, Arrival = from.Unit.Arrival }, from.CacheScope);
        (Events, Step, Guesses) = (new BranchEvents(), new BranchStep(from._progress.Length), new NGramGuesses());
        PromptScores = new PromptScores(from.Request, isDone: !from.PromptScores.AreMissing);
        (_contexts, _contextOfModel) = (Array.ConvertAll(from._contexts, context => context.Copy()), from._contextOfModel);
        _progress = (ModelProgress[])from._progress.Clone();
        DropGuesses();
        for (var model = 0; model < _progress.Length; model++) _progress[model].KeptEnd = 0;
        RunLostRowsAgain();
    }

    /// <summary>Ties what a step has of this branch together.</summary>
    public int Id { get; }

    public GenerationRequest Request { get; }

    /// <summary>0 for a choice itself; each fork has its own, so that it draws other tokens.</summary>
    public int Stream { get; }

    /// <summary>When it was submitted, began to run, gave tokens and ended. Read by any thread.</summary>
    public BranchClock Clock { get; }

    /// <summary>What it reports.</summary>
    public BranchEvents Events { get; }

    /// <summary>What begins to run with it, and goes back to the queue with it.</summary>
    public SchedulingUnit Unit { get; set; }

    /// <summary>Blocks are shared with branches of the same scope only.</summary>
    public string CacheScope { get; init; } = "";

    /// <summary>How much each model weighs in the next token.</summary>
    public AlignmentStrengths Strengths => _strengths.Now;

    /// <summary>How many tokens of the output are decided.</summary>
    public int DecidedTokens { get; private set; }

    /// <summary>How many tokens are guessed to follow them.</summary>
    public int GuessedTokens => Main.Length - Main.PromptTokens - DecidedTokens;

    /// <summary>The effective strengths of each decided token.</summary>
    public IReadOnlyList<AlignmentStrengths> StrengthsOfDecided => _strengths.OfDecided;

    /// <summary>The distinct contexts of its models.</summary>
    public IReadOnlyList<BranchContext> Contexts => _contexts;

    /// <summary>The context whose positions count: the prompt of the request.</summary>
    public BranchContext Main => _contexts[0];

    /// <summary>Its part of the step under way.</summary>
    public BranchStep Step { get; }

    /// <summary>Guesses from what the text says already.</summary>
    public NGramGuesses Guesses { get; }

    /// <summary>Which of the slots for kept rows are its own; null where none was left: then its models run in the same steps.</summary>
    public int? SlotRange { get; set; }

    /// <summary>What its prompt scores.</summary>
    public PromptScores PromptScores { get; }

    /// <summary>Whether all its models must run in the same steps, since their rows cannot be kept.</summary>
    public bool RunsTogether => PromptScores.AreMissing || SlotRange is null;

    /// <summary>Whether it holds its blocks: admitted, and not ended.</summary>
    public bool IsRunning { get; set; }

    /// <summary>Whether it has ended, in whatever way.</summary>
    public bool HasEnded => Clock.Ended is not null;

    /// <summary>Passes that ran its last token or guesses, over all runners; those over its prompt are not counted.</summary>
    public int DecodePasses { get; set; }

    /// <summary>Sum of log Z over its tokens, where they are measured; else 0.</summary>
    public double LogZ { get; set; }

    /// <summary>Whether it has been through its prompt: it has decided a token, or was not asked for one and is done.</summary>
    public bool IsPromptRead { get; private set; }

    /// <summary>Tokens of the prompt that none of its active models had to run; 0 until it is read. Read by any thread.</summary>
    public int CachedTokens { get; private set; }

    /// <summary>The text as a model reads it.</summary>
    public BranchContext ContextOf(int model) => _contexts[_contextOfModel[model]];

    /// <summary>Tokens of a context that are decided, the prompt's too.</summary>
    public int DecidedLength(BranchContext context) => context.PromptTokens + DecidedTokens;

    /// <summary>Tokens of its context that a model's cache holds.</summary>
    public int ComputedTokens(int model) => _progress[model].ComputedTokens;

    /// <summary>Tokens of its context, guesses too, that a model has yet to run.</summary>
    public int LackedTokens(int model) => ContextOf(model).Length - ComputedTokens(model);

    /// <summary>Whether all that a model has yet to run are the last decided token and guesses.</summary>
    public bool IsDecoding(int model) =>
        DecidedTokens > 0 && ComputedTokens(model) >= ContextOf(model).PromptTokens + DecidedTokens - 1;

    /// <summary>The largest output index at which a model's row is kept; −1 where none from <see cref="DecidedTokens"/> on is.</summary>
    public int LastKeptRow(int model) => _progress[model].KeptEnd > DecidedTokens ? _progress[model].KeptEnd - 1 : -1;

    /// <summary>The slot of a model's row.</summary>
    /// <param name="model">The model.</param>
    /// <param name="index">The output index.</param>
    public int SlotOf(int model, int index) =>
        (SlotRange!.Value * _progress.Length + model) * RowsKept + index % RowsKept;

    /// <summary>A model has run tokens up to a position of its context; rows up to an output index are kept.</summary>
    public void Ran(int model, int end, int? lastKeptRow)
    {
        _progress[model].ComputedTokens = end;
        if (lastKeptRow is { } row) _progress[model].KeptEnd = row + 1;
    }

    /// <summary>Goes on behind tokens that are in a model's cache, since somebody has run them.</summary>
    public void Skip(int model, int end)
    {
        ref var progress = ref _progress[model];
        if (!IsPromptRead && Unit.Preemptions == 0) progress.SkippedTokens += end - progress.ComputedTokens;
        progress.ComputedTokens = end;
    }

    /// <summary>The prompt has been read: what of it was there already is known.</summary>
    public void SetPromptRead()
    {
        IsPromptRead = true;
        var least = int.MaxValue;
        foreach (var model in Strengths.ActiveModels) least = Math.Min(least, _progress[model].SkippedTokens);
        CachedTokens = Math.Min(least, Main.PromptTokens);
    }

    /// <summary>Its blocks and slots are gone: it reads its prompt and what is decided again, which changes none of it.</summary>
    public void Preempt()
    {
        DropGuesses();
        Array.Fill(_progress, default);
        PromptScores.Restart();
        IsRunning = false;
    }

    /// <summary>How much each model weighs in a token that is not decided yet.</summary>
    /// <param name="index">Its output index.</param>
    public AlignmentStrengths StrengthsAt(int index) => _strengths.At(index);

    /// <summary>Draws all that follows at other strengths, and reports it; without effect once it has ended.</summary>
    public void ChangeStrengths(AlignmentStrengths strengths)
    {
        if (HasEnded) return;
        _strengths.Change(strengths);
        Events.Report(new StrengthsChanged(strengths));
    }

    /// <summary>
    /// Takes tokens as if they had been drawn, up to the token limit less one, and reports them; without effect once it has ended.
    /// </summary>
    public void Append(ReadOnlySpan<int> tokens)
    {
        if (HasEnded) return;
        foreach (var token in tokens)
        {
            if (DecidedTokens + 1 >= Request.MaxTokens) return;
            Decide(token);
            Events.Report(new TokenGenerated(token, null));
        }
        RunLostRowsAgain();
    }

    /// <summary>
    /// Decides the next token, and reports its strengths where they are new. Another guess is dropped, with those behind it and what models
    /// made of them.
    /// </summary>
    /// <returns>Whether a guess said the same; null where none stood there.</returns>
    public bool? Decide(int token)
    {
        var guess = GuessedTokens > 0 ? Main[Main.PromptTokens + DecidedTokens] : (int?)null;
        if (guess != token)
        {
            DropGuesses();
            foreach (var context in _contexts) context.Append(token);
        }
        DecidedTokens++;
        if (_strengths.Decide() is { } changed) Events.Report(new StrengthsChanged(changed));
        return guess is null ? null : guess == token;
    }

    /// <summary>Says what follows at an output index; other guesses from there on are dropped.</summary>
    /// <returns>False where this very guess stood there.</returns>
    public bool Guess(int index, int token)
    {
        if (index < DecidedTokens + GuessedTokens)
        {
            if (Main[Main.PromptTokens + index] == token) return false;
            Truncate(index);
        }
        foreach (var context in _contexts) context.Append(token);
        return true;
    }

    /// <summary>Adds guesses from what the text says already, where the prompt has been read.</summary>
    public void ExtendGuesses()
    {
        if (DecidedTokens > 0) Guesses.Extend(this, GuessEnd(DecidedTokens + MaxGuesses) - DecidedTokens);
    }

    /// <summary>
    /// One past the last output index that may be guessed. The token after a guess must be of the models that run now: others have not
    /// read the text up to it, and what these have made of it would be of no use there.
    /// </summary>
    /// <param name="most">At most so much.</param>
    public int GuessEnd(int most) => _strengths.SameModelsEnd(Math.Min(most, Request.MaxTokens - 1) + 1) - 1;

    /// <summary>Drops guesses, and what models have made of them.</summary>
    public void DropGuesses() => Truncate(DecidedTokens);

    /// <summary>
    /// A branch that goes on from here with other draws: it shares every full block; the partial last one it must copy.
    /// </summary>
    /// <param name="id">Its own.</param>
    /// <param name="stream">Its own among the forks of the choice.</param>
    /// <returns>It has no blocks yet.</returns>
    public Branch Fork(int id, int stream) => new(id, this, stream);

    /// <summary>Drops all tokens of the output from an index on, and what models have made of them.</summary>
    /// <param name="index">At least 0; decided tokens go too.</param>
    public void Truncate(int index)
    {
        for (var model = 0; model < _progress.Length; model++)
        {
            ref var progress = ref _progress[model];
            progress.ComputedTokens = Math.Min(progress.ComputedTokens, ContextOf(model).PromptTokens + index);
            // The slots of rows before the last have been written again since.
            progress.KeptEnd = index < DecidedTokens ? 0 : Math.Min(progress.KeptEnd, index + 1);
        }
        foreach (var context in _contexts) context.Truncate(context.PromptTokens + index);
        if (index >= DecidedTokens) return;
        foreach (var context in _contexts) context.IsTruncated = true;
        DecidedTokens = index;
        _strengths.Truncate(index);
        RunLostRowsAgain();
    }

    /// <summary>A row that nobody kept is had by running the token before it once more.</summary>
    private void RunLostRowsAgain()
    {
        for (var model = 0; model < _progress.Length; model++)
            if (LastKeptRow(model) < 0)
                _progress[model].ComputedTokens =
                    Math.Min(_progress[model].ComputedTokens, ContextOf(model).PromptTokens + DecidedTokens - 1);
    }
}
