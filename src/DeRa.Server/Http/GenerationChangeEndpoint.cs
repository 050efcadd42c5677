using System.Text.Json;
using DeRa.Hosting.Security;
using DeRa.Server.Http.Wire;
using DeRa.Server.State;

namespace DeRa.Server.Http;

/// <summary>
/// <c>POST /v1/realignment/generations/{id}</c>: other strengths for the tokens that follow in a response that is being streamed, or its
/// end. Not counted among a client's requests: the response that it is about is, and would leave no place for it.
/// </summary>
internal sealed class GenerationChangeEndpoint(ServingState state, RunningGenerations running, JsonRequestReader reader)
{
    /// <summary>Serves one request.</summary>
    public async Task HandleAsync(HttpContext context)
    {
        using var lease = state.Enter();
        var (found, change) = await reader.ReadUncountedAsync(context, body =>
        {
            var found = running.Find((string)context.Request.RouteValues["id"]!, context.Features.Get<ApiKey>()?.Name);
            var change = GenerationChangeReader.Read(body, lease.Pair, found.Generation.Request.Choices.Count);
            IgnoredFields.Announce(context, change.Ignored);
            return (found, change);
        });
        found.Rate.Count("A change");
        IReadOnlyList<(int Choice, int? FromToken)> changed = [];
        if (change.Strengths is { } strengths)
        {
            changed = await found.Generation.ChangeStrengthsAsync(strengths, change.Choice).WaitAsync(context.RequestAborted);
            // What remains of it is only being sent.
            if (changed.All(choice => choice.FromToken is null)) throw new GenerationNotFoundException();
        }
        else if (change.Choice is { } one) found.Generation.Stop(one);
        else found.Generation.Stop();
        await WireJson.RespondAsync(context.Response, StatusCodes.Status200OK, json => Write(json, change.Strengths is null, changed));
    }

    private static void Write(Utf8JsonWriter json, bool stops, IReadOnlyList<(int Choice, int? FromToken)> changed)
    {
        json.WriteStartObject();
        json.WriteBoolean("stopped"u8, stops);
        json.WriteStartArray("choices"u8);
        foreach (var (choice, fromToken) in changed)
        {
            json.WriteStartObject();
            json.WriteNumber("index"u8, choice);
            if (fromToken is { } first) json.WriteNumber("from_token"u8, first);
            else json.WriteNull("from_token"u8);
            json.WriteEndObject();
        }
        json.WriteEndArray();
        json.WriteEndObject();
    }
}
