using DeRa.Engine.Requests;
using DeRa.Protos.V1;
using DeRa.Serving.Requests;
using Google.Protobuf.Collections;

namespace DeRa.Server.Grpc;

/// <summary>Schedules in gRPC messages.</summary>
internal static class GrpcSchedules
{
    /// <summary>Reads a schedule.</summary>
    /// <param name="schedule">The message.</param>
    /// <param name="field">Its field, for errors.</param>
    /// <exception cref="InvalidRequestException">It has no form, or a shape that there is not.</exception>
    public static ScheduleInput Read(AlignmentSchedule schedule, string field) => schedule.FormCase switch
    {
        AlignmentSchedule.FormOneofCase.Ramp => new ScheduleInput
        {
            Field = $"{field}.ramp",
            Start = schedule.Ramp.HasStart ? schedule.Ramp.Start : null,
            End = schedule.Ramp.HasEnd ? schedule.Ramp.End : null,
            Tokens = schedule.Ramp.HasTokens ? schedule.Ramp.Tokens : null,
            Shape = schedule.Ramp.Shape switch
            {
                ScheduleShape.Unspecified => null,
                var shape => RealignmentFields.Shapes.ElementAtOrDefault((int)shape - 1) ?? "",
            },
        },
        AlignmentSchedule.FormOneofCase.Points => Points(schedule.Points.Points, $"{field}.points.points"),
        _ => throw new InvalidRequestException(field, $"'{field}' is empty: set its ramp or points."),
    };

    private static ScheduleInput Points(RepeatedField<SchedulePoint> points, string field)
    {
        ScheduleInput.CheckCount(field, points.Count);
        return new()
        {
            Field = field,
            Points = [.. points.Select((point, i) => new SchedulePointInput(point.FromToken, point.AlignmentStrength,
                $"{field}[{i}].from_token", $"{field}[{i}].alignment_strength"))],
        };
    }

    /// <summary>Says a schedule.</summary>
    /// <exception cref="ArgumentException">A schedule of an unknown kind.</exception>
    public static AlignmentSchedule Of(StrengthSchedule schedule)
    {
        switch (schedule)
        {
            case StrengthRamp ramp:
                return new()
                {
                    Ramp = new() { Start = ramp.Start, End = ramp.End, Tokens = ramp.Tokens, Shape = (ScheduleShape)((int)ramp.Shape + 1) },
                };
            case StrengthPoints list:
                var points = new SchedulePoints();
                points.Points.AddRange(list.Points.Select(point =>
                    new SchedulePoint { FromToken = point.FromToken, AlignmentStrength = point.Strengths[0] }));
                return new() { Points = points };
            default:
                throw new ArgumentException($"'{schedule.GetType().Name}' has no form in a message.", nameof(schedule));
        }
    }
}
