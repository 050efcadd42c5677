using System.Text;
using System.Text.Json;
using DeRa.Engine.Requests;
using DeRa.Serving.Requests;

namespace DeRa.Server.Responses;

/// <summary>Writes a schedule as requests hold it.</summary>
internal static class ScheduleText
{
    /// <summary>Writes it as a JSON value.</summary>
    /// <exception cref="ArgumentException">A schedule of an unknown kind.</exception>
    public static void WriteTo(Utf8JsonWriter json, StrengthSchedule schedule)
    {
        switch (schedule)
        {
            case StrengthRamp ramp:
                json.WriteStartObject();
                json.WriteNumber("start"u8, ramp.Start);
                json.WriteNumber("end"u8, ramp.End);
                json.WriteNumber("tokens"u8, ramp.Tokens);
                json.WriteString("shape"u8, RealignmentFields.Shapes[(int)ramp.Shape]);
                json.WriteEndObject();
                break;
            case StrengthPoints points:
                json.WriteStartArray();
                foreach (var (token, strengths) in points.Points)
                {
                    json.WriteStartArray();
                    json.WriteNumberValue(token);
                    json.WriteNumberValue(strengths[0]);
                    json.WriteEndArray();
                }
                json.WriteEndArray();
                break;
            default:
                throw new ArgumentException($"'{schedule.GetType().Name}' has no form in a request.", nameof(schedule));
        }
    }

    /// <summary>The same as a text.</summary>
    public static string Of(StrengthSchedule schedule)
    {
        using var text = new MemoryStream();
        using (var json = new Utf8JsonWriter(text)) WriteTo(json, schedule);
        return Encoding.UTF8.GetString(text.ToArray());
    }
}
