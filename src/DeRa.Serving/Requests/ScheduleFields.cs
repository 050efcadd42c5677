using DeRa.Engine.Requests;

namespace DeRa.Serving.Requests;

/// <summary>Checks schedules of the first aligned model's strength.</summary>
/// <param name="context">The range of a strength.</param>
internal sealed class ScheduleFields(FieldContext context)
{
    private static readonly string Name = RealignmentFields.Schedule.Name;

    /// <summary>The schedule that a request asks for; null where it asks for none.</summary>
    /// <exception cref="InvalidRequestException">
    /// Something of it is missing or out of range, or another field of the request says a strength too.
    /// </exception>
    public StrengthSchedule? Read(GenerationInput input)
    {
        if (input.AlignmentSchedule is not { } schedule) return null;
        var other = input.AlignmentStrength is not null ? input.AlignmentStrengthField
            : input.NamedStrengths is not null ? RequestFields.NamedStrengths.Name
            : input.AlignmentSweep is not null ? RealignmentFields.Sweep.Name : null;
        if (other is not null) throw new InvalidRequestException(Name, $"'{Name}' and '{other}' are both set; send one of them.");
        return schedule.Points is { } points ? Points(schedule.Field, points) : Ramp(schedule);
    }

    private StrengthPoints Points(string field, IReadOnlyList<SchedulePointInput> points)
    {
        ScheduleInput.CheckCount(field, points.Count);
        for (var i = 0; i < points.Count; i++)
        {
            var (token, strength, tokenField, strengthField) = points[i];
            RealignmentFields.ScheduleTokens.Check(tokenField, token);
            context.Strengths.Check(strengthField, strength);
            if (i == 0 ? token != 0 : token <= points[i - 1].FromToken)
                throw new InvalidRequestException(tokenField, $"'{tokenField}' is {token}; it must be "
                    + (i == 0 ? "0, the first output token." : $"above {points[i - 1].FromToken}, the token of the strength before it."));
        }
        return new StrengthPoints([.. points.Select(point => new StrengthPoint(point.FromToken, point.Strength))]);
    }

    private StrengthRamp Ramp(ScheduleInput schedule)
    {
        var (start, end) = (Strength(schedule.Start, $"{schedule.Field}.start"), Strength(schedule.End, $"{schedule.Field}.end"));
        var (tokens, shape) = ($"{schedule.Field}.tokens", $"{schedule.Field}.shape");
        var place = schedule.Shape is null ? 0 : RealignmentFields.Shapes.ToList().IndexOf(schedule.Shape);
        if (place < 0)
            throw new InvalidRequestException(shape,
                $"'{shape}' must be one of {string.Join(", ", RealignmentFields.Shapes.Select(name => $"'{name}'"))}.");
        return new StrengthRamp(start, end,
            RealignmentFields.ScheduleTokens.Check(tokens, schedule.Tokens ?? throw Missing(tokens)), (RampShape)place);
    }

    private double Strength(double? strength, string field) => context.Strengths.Check(field, strength ?? throw Missing(field));

    private static InvalidRequestException Missing(string field) =>
        new(field, $"'{field}' is missing; a schedule has 'start', 'end' and 'tokens', or is a list of tokens and strengths.");
}
