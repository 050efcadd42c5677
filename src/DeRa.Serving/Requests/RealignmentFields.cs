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
}
