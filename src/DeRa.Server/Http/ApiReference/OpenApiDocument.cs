using System.Globalization;
using System.Text.Json.Nodes;

namespace DeRa.Server.Http.ApiReference;

/// <summary>Writes the table of operations as an OpenAPI 3.1 document.</summary>
internal static class OpenApiDocument
{
    private const string About =
        "OpenAI-compatible HTTP for a pair of models whose logits are mixed at every token with the strength λ that a request names. "
        + "A field that is null counts as not set. An unknown field that resembles a known one is refused; any other, and what only "
        + "other servers know, is ignored and listed in the header x-ignored-fields. Every answer carries the server's x-request-id; "
        + "429 and 503 carry Retry-After.";

    /// <summary>The document.</summary>
    public static JsonObject Of(IReadOnlyList<ApiOperation> operations) => new()
    {
        ["openapi"] = "3.1.1",
        ["info"] = new JsonObject { ["title"] = "DeRa", ["version"] = ServerVersion.Text, ["description"] = About },
        ["servers"] = new JsonArray(new JsonObject { ["url"] = "/" }),
        // With a key, or without one where the server has none.
        ["security"] = new JsonArray(new JsonObject { ["key"] = new JsonArray() }, new JsonObject()),
        ["paths"] = new JsonObject(operations.Select(operation => KeyValuePair.Create(operation.Path, (JsonNode?)new JsonObject
        {
            [operation.Method.ToLowerInvariant()] = Operation(operation),
        }))),
        ["components"] = new JsonObject
        {
            ["schemas"] = AllSchemas(operations),
            ["responses"] = new JsonObject { ["Error"] = Response("The request was not served.", "application/json", "Error") },
            ["securitySchemes"] = new JsonObject
            {
                ["key"] = new JsonObject
                {
                    ["type"] = "http",
                    ["scheme"] = "bearer",
                    ["description"] = "An API key, needed where the server was started with keys.",
                },
            },
        },
    };

    private static JsonObject Operation(ApiOperation operation)
    {
        var described = new JsonObject
        {
            ["operationId"] = operation.Id,
            ["summary"] = operation.Summary,
            ["responses"] = Responses(operation),
        };
        if (operation.IsOpen) described["security"] = new JsonArray();
        if (operation.Path.Contains("{id}", StringComparison.Ordinal)) described["parameters"] = new JsonArray(IdParameter());
        if (operation.Forms.Count > 0) described["requestBody"] = RequestBody(operation);
        return described;
    }

    private static JsonObject IdParameter() => new()
    {
        ["name"] = "id",
        ["in"] = "path",
        ["required"] = true,
        ["schema"] = new JsonObject { ["type"] = "string" },
    };

    private static JsonObject RequestBody(ApiOperation operation)
    {
        var forms = operation.Forms.Select(form => FormSchemas.Reference(form.Schema)).ToArray();
        var content = new JsonObject { ["schema"] = forms is [var only] ? only : FormSchemas.AnyOf(forms) };
        if (operation.Examples.Count > 0) content["example"] = JsonNode.Parse(operation.Examples[0]);
        return new JsonObject { ["required"] = true, ["content"] = new JsonObject { ["application/json"] = content } };
    }

    private static JsonObject Responses(ApiOperation operation)
    {
        var served = Response(
            operation.Chunk is null ? "Served." : "Served; a stream has a chunk in each event's data and ends with [DONE].",
            operation.MediaType, operation.Response);
        if (operation.Chunk is { } chunk) Content(served, "text/event-stream", chunk);
        var responses = new JsonObject { ["200"] = served };
        foreach (var (status, schema) in operation.OtherResponses)
            responses[status.ToString(CultureInfo.InvariantCulture)] = Response("Not now.", "application/json", schema);
        // Not 4XX and 5XX, which generators of clients write into code as if they were numbers.
        responses["default"] = ErrorReference();
        return responses;
    }

    private static JsonObject ErrorReference() => new() { ["$ref"] = "#/components/responses/Error" };

    private static JsonObject Response(string text, string mediaType, string schema)
    {
        var response = new JsonObject { ["description"] = text, ["content"] = new JsonObject() };
        Content(response, mediaType, schema);
        return response;
    }

    private static void Content(JsonObject response, string mediaType, string schema) =>
        response["content"]![mediaType] = new JsonObject { ["schema"] = FormSchemas.Reference(schema) };

    private static JsonObject AllSchemas(IReadOnlyList<ApiOperation> operations)
    {
        var schemas = ResponseSchemas.All();
        foreach (var form in operations.SelectMany(operation => operation.Forms).DistinctBy(form => form.Schema))
            schemas[form.Schema] = RequestSchema(form);
        return schemas;
    }

    private static JsonObject RequestSchema(RequestForm form) => new()
    {
        ["type"] = "object",
        ["description"] = $"Taken without effect: {string.Join(", ", form.WithoutEffect)}. "
            + $"Refused where they ask for something: {string.Join(", ", form.Unsupported)}.",
        ["required"] = new JsonArray([.. form.Fields.Where(field => field.IsRequired).Select(field => (JsonNode)field.Name)]),
        ["properties"] = new JsonObject(form.Fields.Select(field => KeyValuePair.Create(field.Name, (JsonNode?)Property(field)))),
    };

    private static JsonObject Property(FieldDescription field)
    {
        var schema = (JsonObject)field.Schema.DeepClone();
        if (!field.IsRequired) FormSchemas.OrNull(schema);
        schema["description"] = field.Text;
        return schema;
    }
}
