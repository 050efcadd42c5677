using DeRa.Server.Http.Wire;
using DeRa.Server.State;
using DeRa.Serving.Requests;
using DeRa.Serving.Scoring;

namespace DeRa.Server.Http;

/// <summary><c>POST /v1/realignment/score</c>: texts at many alignment strengths, in one pass of each model.</summary>
internal sealed class ScoreEndpoint(ServingState state, JsonRequestReader reader)
{
    /// <summary>Serves one request.</summary>
    public async Task HandleAsync(HttpContext context)
    {
        using var lease = state.Enter();
        var scoring = new ScoringService(lease.Pair);
        using var admitted = await reader.ReadAsync(context, body =>
        {
            var read = ScoreRequestReader.Read(body, lease.Pair);
            IgnoredFields.Announce(context, read.Ignored);
            return (read, scoring.Prepare(read.Input));
        });
        var (request, prepared) = admitted.Value;
        var items = await scoring.RunAsync(prepared.For(context.Features.Get<RequestClient>()!), context.RequestAborted);
        var writer = new ScoreResponseWriter(prepared, lease.Pair.Names.Aligned, request.PerToken);
        var model = string.IsNullOrEmpty(request.Input.Model) ? lease.Pair.Names.Pair : request.Input.Model;
        await WireJson.RespondAsync(context.Response, StatusCodes.Status200OK, json => writer.Write(json, model, items));
    }
}
