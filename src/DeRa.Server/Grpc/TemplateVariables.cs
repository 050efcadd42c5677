using System.Text.Json.Nodes;
using DeRa.Engine.Requests;
using Google.Protobuf.WellKnownTypes;

namespace DeRa.Server.Grpc;

/// <summary>Reads the variables that a client sends for the chat template, as HTTP's JSON would have them.</summary>
internal static class TemplateVariables
{
    /// <summary>Doubles up to here that are whole numbers hold them exactly.</summary>
    private const double MaxWhole = 1L << 53;

    /// <summary>Reads them.</summary>
    /// <param name="variables">The variables.</param>
    /// <param name="field">Their field, for errors.</param>
    /// <exception cref="InvalidRequestException">A value is of no kind, or a number that JSON does not have.</exception>
    public static JsonObject Read(Struct variables, string field) => new(variables.Fields.Select(entry =>
        KeyValuePair.Create(entry.Key, Read(entry.Value, $"{field}.{entry.Key}"))));

    private static JsonNode? Read(Value value, string field) => value.KindCase switch
    {
        Value.KindOneofCase.NullValue => null,
        Value.KindOneofCase.BoolValue => value.BoolValue,
        Value.KindOneofCase.StringValue => value.StringValue,
        Value.KindOneofCase.NumberValue => Number(value.NumberValue, field),
        Value.KindOneofCase.StructValue => Read(value.StructValue, field),
        Value.KindOneofCase.ListValue => new JsonArray([.. value.ListValue.Values.Select((item, i) => Read(item, $"{field}[{i}]"))]),
        _ => throw new InvalidRequestException(field, $"'{field}' has no value; null_value is null."),
    };

    /// <summary>Templates tell whole numbers from others.</summary>
    private static JsonNode Number(double number, string field)
    {
        if (!double.IsFinite(number)) throw new InvalidRequestException(field, $"'{field}' must be a finite number.");
        return double.IsInteger(number) && Math.Abs(number) <= MaxWhole ? (long)number : number;
    }
}
