using System.Text.Json;
using DeRa.Server.Http.Wire;
using DeRa.Server.State;
using DeRa.Serving;
using DeRa.Serving.Requests;

namespace DeRa.Server.Http;

/// <summary><c>GET /v1/models</c> and <c>GET /v1/models/{id}</c>.</summary>
internal sealed class ModelsEndpoint(ServingState state)
{
    /// <summary>Lists the pair and each of its models.</summary>
    public async Task ListAsync(HttpContext context)
    {
        using var lease = state.Enter();
        await WireJson.RespondAsync(context.Response, StatusCodes.Status200OK, json =>
        {
            json.WriteStartObject();
            json.WriteString("object"u8, "list"u8);
            json.WriteStartArray("data"u8);
            foreach (var name in lease.Pair.Names.All) Write(json, lease.Pair, name);
            json.WriteEndArray();
            json.WriteEndObject();
        });
    }

    /// <summary>Shows one model: one of the list, or the pair at a strength, whose name clients look up as they do any other.</summary>
    /// <exception cref="InvalidRequestException">It is not served.</exception>
    public async Task GetAsync(HttpContext context)
    {
        using var lease = state.Enter();
        // The one character that routing leaves encoded, and that clients encode: names are often of the form owner/model.
        var id = ((string)context.Request.RouteValues["id"]!).Replace("%2F", "/", StringComparison.OrdinalIgnoreCase);
        lease.Pair.Validator.CheckModel(id);
        await WireJson.RespondAsync(context.Response, StatusCodes.Status200OK, json => Write(json, lease.Pair, id));
    }

    private static void Write(Utf8JsonWriter json, ServedPair pair, string name)
    {
        json.WriteStartObject();
        json.WriteString("id"u8, name);
        json.WriteString("object"u8, "model"u8);
        json.WriteNumber("created"u8, pair.LoadedAt.ToUnixTimeSeconds());
        json.WriteString("owned_by"u8, "dera"u8);
        json.WriteString("root"u8, pair.Names.Pair);
        json.WriteString("parent"u8, name == pair.Names.Pair ? null : pair.Names.Pair);
        json.WriteNumber("max_model_len"u8, pair.Engine.Limits.ContextTokens);
        json.WriteEndObject();
    }
}
