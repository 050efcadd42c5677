namespace DeRa.Serving.Requests;

/// <summary>Request fields that only a pair has a use for, beside the strength itself.</summary>
public static class RealignmentFields
{
    /// <summary>Strengths of a sweep at most.</summary>
    public const int MaxSweep = 32;

    /// <summary><c>alignment_sweep</c>.</summary>
    public static RequestField Sweep { get; } = new("alignment_sweep", context => new ListForm(context.Strengths, MaxSweep, 1), context =>
        $"Strengths of {context.Names.Aligned[0]}, in place of alignment_strength: n choices for each prompt at each of them, strength by "
            + $"strength, with the same random draws. Prompts, strengths and n (or best_of) together give {context.Limits.MaxChoices} "
            + "choices at most.")
    {
        Reader = (source, field, input) => input with { AlignmentSweep = source.Numbers(field) },
    };

    /// <summary>Strengths of a schedule that is a list at most.</summary>
    public const int MaxPoints = 64;

    /// <summary>Output tokens of a schedule; they may be beyond what is generated.</summary>
    public static NumberRange ScheduleTokens { get; } = NumberRange.Whole(0, int.MaxValue);

    /// <summary>The names of <see cref="DeRa.Engine.Requests.RampShape"/>'s values, in their order; the first is the default.</summary>
    public static IReadOnlyList<string> Shapes { get; } = ["linear", "cosine", "step"];

    /// <summary><c>alignment_schedule</c>.</summary>
    public static RequestField Schedule { get; } = new("alignment_schedule", context => new AnyForm(
        new ObjectForm(
            [("start", context.Strengths), ("end", context.Strengths), ("tokens", ScheduleTokens), ("shape", new WordForm(Shapes))])
        {
            Required = ["start", "end", "tokens"],
        },
        new ListForm(new ListForm(new AnyForm(ScheduleTokens, context.Strengths), 2, 2), MaxPoints, 1)), context =>
        $"λ of {context.Names.Aligned[0]} from token to token, in place of alignment_strength: from start at the first output token to end "
            + "after so many tokens, linear, as half a wave of a cosine or in one step; or a list of [token, strength], each strength from "
            + "its output token on, the first of token 0.")
    {
        Reader = (source, field, input) => input with { AlignmentSchedule = source.Schedule(field) },
    };

    /// <summary><c>choice</c> of a generation that runs.</summary>
    public static RequestField Choice { get; } =
        new("choice", NumberRange.Whole(0, int.MaxValue), "The index of the choice that is meant; without it all are.");

    /// <summary><c>stop</c> of a generation that runs.</summary>
    public static RequestField StopGeneration { get; } = new("stop", new FlagForm(),
        "Ends the choices with what they have, in place of a change of strength.")
    {
        Default = _ => false,
    };

    /// <summary>Strengths of a request that scores at most.</summary>
    public const int MaxScoredStrengths = 1000;

    private static readonly ValueForm TextOrTokens = new AnyForm(new TextForm(), new ListForm(NumberRange.Whole(0, int.MaxValue)));

    /// <summary><c>alignment_sweep</c> of a request that scores.</summary>
    public static RequestField ScoredStrengths { get; } = new("alignment_sweep",
        context => new ListForm(
            new AnyForm(context.Strengths, new MapForm(context.Strengths, context.Names.Aligned.Count)), MaxScoredStrengths, 1),
        context => $"Strengths at which each item is scored: of {context.Names.Aligned[0]}, or an object with one of each aligned model.")
    {
        IsRequired = true,
    };

    /// <summary><c>items</c> of a request that scores.</summary>
    public static RequestField Items { get; } = new("items",
        context => new ListForm(new AnyForm(
            new ObjectForm([("prompt", TextOrTokens), ("continuation", TextOrTokens)]),
            new ObjectForm([("messages", new ListForm(new MessageForm(), Least: 2))])), context.Limits.MaxPrompts, 1),
        "What is scored: the continuation of a prompt (of two texts, the tokens of both together that those of the prompt alone do not "
            + "begin with), or the assistant's message that ends a conversation.")
    {
        IsRequired = true,
    };

    /// <summary><c>per_token</c> of a request that scores.</summary>
    public static RequestField PerToken { get; } = RequestFields.Flag("per_token", "Adds each token and what it scores.", false);

    /// <summary><c>prompt</c> of an item.</summary>
    public static RequestField ItemPrompt { get; } = new("prompt", TextOrTokens, "What is given.");

    /// <summary><c>continuation</c> of an item.</summary>
    public static RequestField Continuation { get; } = new("continuation", TextOrTokens, "What is scored.");
}
