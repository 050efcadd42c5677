using System.Text.Json;
using System.Text.Json.Nodes;
using DeRa.Serving.Requests;

namespace DeRa.Server.Http.ApiReference;

/// <summary>A field of a request body as the API reference shows it.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Schema">What it may be, its effective range included.</param>
/// <param name="Text">What it does.</param>
/// <param name="IsRequired">Whether it must be there; others may be null, which is the same as absent.</param>
internal sealed record FieldDescription(string Name, JsonObject Schema, string Text, bool IsRequired)
{
    /// <summary>Describes a field as it is where this is served.</summary>
    public static FieldDescription Of(RequestField field, FieldContext context)
    {
        var schema = FormSchemas.Of(field.Form(context));
        if (field.TakesFalse) schema = FormSchemas.AnyOf(schema, FormSchemas.One(false));
        if (field.Default is { } byDefault) schema["default"] = JsonSerializer.SerializeToNode(byDefault(context));
        return new FieldDescription(field.Name, schema, field.Description(context), field.IsRequired);
    }
}
