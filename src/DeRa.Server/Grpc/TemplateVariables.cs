using System.Text.Json.Nodes;
using DeRa.Serving.Requests;
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
    /// <exception cref="InvalidRequestException">
    /// There are too many, a value is of no kind, or a number that JSON does not have.
    /// </exception>
    public static JsonObject Read(Struct variables, string field)
    {
        ChatPrompt.CheckVariableCount(field, variables.Fields.Count);
        if (FaultIn(variables) is not { } fault) return Object(variables);
        var place = field + string.Concat(fault.Place);
        throw new InvalidRequestException(place, $"'{place}' {fault.Message}");
    }

    private static JsonObject Object(Struct value) =>
        new(value.Fields.Select(entry => KeyValuePair.Create(entry.Key, Node(entry.Value))));

    private static JsonNode? Node(Value value) => value.KindCase switch
    {
        Value.KindOneofCase.BoolValue => value.BoolValue,
        Value.KindOneofCase.StringValue => value.StringValue,
        Value.KindOneofCase.NumberValue => Number(value.NumberValue),
        Value.KindOneofCase.StructValue => Object(value.StructValue),
        Value.KindOneofCase.ListValue => new JsonArray([.. value.ListValue.Values.Select(Node)]),
        _ => null,
    };

    /// <summary>Templates distinguish whole numbers from others.</summary>
    private static JsonNode Number(double number) =>
        double.IsInteger(number) && Math.Abs(number) <= MaxWhole ? (long)number : number;

    /// <summary>
    /// What is wrong in a value and the way to it, outermost step first; null where all is well. The way is put together only once
    /// something is found: for every entry it would take time in proportion to the square of the message.
    /// </summary>
    private static (Stack<string> Place, string Message)? FaultIn(Value value) => value.KindCase switch
    {
        Value.KindOneofCase.NumberValue when !double.IsFinite(value.NumberValue) => (new Stack<string>(), "must be a finite number."),
        Value.KindOneofCase.None => (new Stack<string>(), "has no value; null_value is null."),
        Value.KindOneofCase.StructValue => FaultIn(value.StructValue),
        Value.KindOneofCase.ListValue => FaultIn(value.ListValue),
        _ => null,
    };

    private static (Stack<string> Place, string Message)? FaultIn(Struct value)
    {
        foreach (var (name, held) in value.Fields)
            if (FaultIn(held) is { } fault)
            {
                fault.Place.Push($".{name}");
                return fault;
            }
        return null;
    }

    private static (Stack<string> Place, string Message)? FaultIn(ListValue list)
    {
        for (var i = 0; i < list.Values.Count; i++)
            if (FaultIn(list.Values[i]) is { } fault)
            {
                fault.Place.Push($"[{i}]");
                return fault;
            }
        return null;
    }
}
