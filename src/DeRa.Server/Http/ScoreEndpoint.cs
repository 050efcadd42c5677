using DeRa.Server.Http.Wire;
using DeRa.Server.State;
using DeRa.Server.Telemetry;
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
        var items = await TracedScores.RunAsync(context, scoring, prepared, context.RequestAborted);
        var writer = new ScoreResponseWriter(prepared, lease.Pair.Names.Aligned, request.PerToken);
        await WireJson.RespondAsync(context.Response, StatusCodes.Status200OK, json => writer.Write(json, items));
    }
}
