using System.Reflection;
using System.Text.Json;
using System.Text.Json.Nodes;
using DeRa.Server.Http.Wire;
using DeRa.Server.Options;
using DeRa.Server.Responses;
using DeRa.Server.State;
using DeRa.Serving;
using DeRa.Serving.Requests;

namespace DeRa.Server.Http;

/// <summary><c>GET /info</c>: what is served, and the effective limits and options.</summary>
internal sealed class InfoEndpoint(ServingState state, ServerOptions options, TimeProvider time)
{
    private readonly long _started = time.GetTimestamp();

    /// <summary>Responds with all of it. Secrets and the places of files stay out.</summary>
    public async Task HandleAsync(HttpContext context)
    {
        using var lease = state.Enter();
        var info = Describe(lease.Pair);
        await WireJson.RespondAsync(context.Response, StatusCodes.Status200OK, json => info.WriteTo(json));
    }

    private JsonObject Describe(ServedPair pair) => new()
    {
        ["version"] = ServerVersion.Text,
        ["uptime_seconds"] = Math.Round(time.GetElapsedTime(_started).TotalSeconds, 3),
        ["pair"] = pair.Names.Pair,
        ["models"] = ServedValues.List(pair.Names.All),
        ["aligned"] = ServedValues.List(pair.Names.Aligned),
        ["rewards"] = ServedValues.List(pair.Names.Rewards),
        ["members"] = new JsonArray([.. pair.Members.Select(Member)]),
        ["context_tokens"] = pair.Engine.Limits.ContextTokens,
        ["vocabulary_size"] = pair.Engine.Limits.VocabularySize,
        ["cache_tokens"] = (long)pair.Engine.Limits.BlockCount * pair.Engine.Limits.BlockTokens,
        ["limits"] = Limits(pair.Validator.Limits),
        ["options"] = PublicOptions.Of(options),
    };

    private static JsonNode Member(ServedMember member) => new JsonObject
    {
        ["name"] = member.Name,
        ["device"] = member.Device,
        ["dtype"] = member.DType,
        ["weight_bytes"] = member.WeightBytes,
        ["cache_bytes"] = member.CacheBytes,
    };

    private static JsonObject Limits(RequestLimits limits) => new(typeof(RequestLimits).GetProperties().Select(property =>
        KeyValuePair.Create(LimitName(property), ServedValues.Json(property.GetValue(limits)))));

    /// <summary>Times are in seconds.</summary>
    private static string LimitName(PropertyInfo property) =>
        JsonNamingPolicy.SnakeCaseLower.ConvertName(property.Name)
            + (property.PropertyType == typeof(TimeSpan?) ? "_seconds" : "");
}
