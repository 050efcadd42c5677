using DeRa.Engine.Requests;

namespace DeRa.Serving.Requests;

/// <summary>Finds the mixture that a request asks for: by a number, by a number for each aligned model, or by the model's name.</summary>
/// <param name="context">What is served, and the range of a strength and of their sum.</param>
internal sealed class StrengthFields(FieldContext context)
{
    private static readonly string NamedField = RequestFields.NamedStrengths.Name;
    private static readonly string SweepField = RealignmentFields.Sweep.Name;

    private readonly ServedNames _names = context.Names;
    private readonly ScheduleFields _schedules = new(context);

    /// <summary>
    /// The mixtures that a request asks for: those of its sweep, in order, else one; and its schedule, which begins with that.
    /// </summary>
    /// <exception cref="InvalidRequestException">
    /// An unknown name, a strength out of range, two fields that contradict each other, or a sweep or schedule of no strengths or too many.
    /// </exception>
    public (IReadOnlyList<AlignmentStrengths> Mixtures, StrengthSchedule? Schedule) ReadAll(GenerationInput input)
    {
        foreach (var chat in input.Prompts.OfType<ChatPrompt>())
            foreach (var (field, strength) in chat.Strengths) context.Strengths.Check(field, strength);
        var schedule = _schedules.Read(input);
        return (input.AlignmentSweep is { } sweep ? Swept(input, sweep) : [Read(input, schedule)], schedule);
    }

    /// <summary>
    /// The mixture of the request's own fields, else of the last message that carries a strength, else of the model's name; the first
    /// aligned model alone where none says any. The name of one model goes with no other mixture.
    /// </summary>
    private AlignmentStrengths Read(GenerationInput input, StrengthSchedule? schedule)
    {
        var byModel = OfModel(input.Model);
        var sent = schedule?.At(0) ?? Sent(input.AlignmentStrength, input.AlignmentStrengthField, input.NamedStrengths);
        var ofMessage = sent is null ? OfMessages(input.Prompts) : null;
        var asked = sent ?? (ofMessage is { } message ? message.Strength : null);
        if (asked is null || byModel is null || _names.HasStrength(input.Model) || (schedule is null && asked.Equals(byModel)))
            return asked ?? byModel ?? 1;
        var field = schedule is not null ? RealignmentFields.Schedule.Name : ofMessage?.Field
            ?? (input.NamedStrengths is null ? input.AlignmentStrengthField : NamedField);
        throw new InvalidRequestException(field,
            $"The model '{input.Model}' fixes the mixture, and '{field}' asks for another; send one of them.");
    }

    /// <summary>The strength of the last message that carries one, which must be the same in all conversations of a request.</summary>
    private static MessageStrength? OfMessages(IReadOnlyList<PromptInput> prompts)
    {
        MessageStrength?[] ofPrompts = [.. prompts.Select(prompt =>
            prompt is ChatPrompt { Strengths: [.., var last] } ? last : (MessageStrength?)null)];
        if (ofPrompts.Length == 0) return null;
        var other = Array.FindIndex(ofPrompts, own => own?.Strength != ofPrompts[0]?.Strength);
        if (other < 0) return ofPrompts[0];
        var field = (ofPrompts[other] ?? ofPrompts[0])!.Value.Field;
        throw new InvalidRequestException(field, $"'{field}' is for one of several prompts, which all have the same strength; set it in "
            + "each, or the request's own, or send them as requests of their own.");
    }

    /// <summary>The mixture that a model's name asks for; null where it leaves that to the request's fields.</summary>
    /// <exception cref="InvalidRequestException">Nothing is served under that name, or its strength is out of range.</exception>
    public AlignmentStrengths? OfModel(string? model) =>
        _names.Find(model) is { } strengths ? Check(strengths, _ => "model", $"the strength in '{model}'") : null;

    /// <summary>The mixture that the fields ask for; null where none is set.</summary>
    /// <param name="first">The first aligned model's strength; null = not set.</param>
    /// <param name="field">The name under which it was sent, for errors.</param>
    /// <param name="named">Strengths by name; null = not set.</param>
    /// <exception cref="InvalidRequestException">Both are set, a name is unknown, or one is out of range.</exception>
    public AlignmentStrengths? Sent(double? first, string field, IReadOnlyDictionary<string, double>? named)
    {
        if (named is null) return first is { } strength ? Check(strength, _ => field) : null;
        if (first is not null)
            throw new InvalidRequestException(NamedField, $"'{NamedField}' and '{field}' are both set; send one of them.");
        return Named(named, NamedField);
    }

    /// <summary>The mixtures of a sweep, which outweighs a strength in the model's name.</summary>
    private AlignmentStrengths[] Swept(GenerationInput input, IReadOnlyList<double> sweep)
    {
        OfModel(input.Model);
        var other = input.AlignmentStrength is not null ? input.AlignmentStrengthField
            : input.NamedStrengths is not null ? NamedField : null;
        if (other is not null)
            throw new InvalidRequestException(SweepField, $"'{SweepField}' and '{other}' are both set; send one of them.");
        if (sweep.Count == 0)
            throw new InvalidRequestException(SweepField,
                $"'{SweepField}' holds no strength; it must hold 1 to {RealignmentFields.MaxSweep}.");
        FieldCount.Check(SweepField, sweep.Count, RealignmentFields.MaxSweep, "strengths");
        return [.. sweep.Select((strength, i) => Check(strength, _ => $"{SweepField}[{i}]"))];
    }

    /// <summary>The mixture of strengths by name.</summary>
    /// <param name="named">Strengths by name.</param>
    /// <param name="field">Where they stand in the request, for errors.</param>
    /// <exception cref="InvalidRequestException">A name is unknown, or one is out of range.</exception>
    public AlignmentStrengths Named(IReadOnlyDictionary<string, double> named, string field) =>
        Check(_names.Read(named, field), i => $"{field}.{_names.Aligned[i]}", sumField: field);

    private AlignmentStrengths Check(
        AlignmentStrengths strengths, Func<int, string> field, string? what = null, string? sumField = null)
    {
        var range = context.Strengths;
        for (var i = 0; i < strengths.Count; i++) range.Check(field(i), strengths[i], what);
        // Rounded: as binary fractions, decimals that add up to the limit may add up to a little more.
        if (strengths.Count > 1)
            range.Check(sumField ?? NamedField, Math.Round(1 - strengths.Reference, 12), $"the sum of '{sumField ?? NamedField}'");
        return strengths;
    }
}
