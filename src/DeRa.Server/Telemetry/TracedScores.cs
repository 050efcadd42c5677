using DeRa.Serving.Requests;
using DeRa.Serving.Scoring;

namespace DeRa.Server.Telemetry;

/// <summary>Scores what a request asks for, and reports each stage to the request's telemetry.</summary>
internal static class TracedScores
{
    /// <summary>Runs a prepared request as its client's.</summary>
    /// <param name="context">The request.</param>
    /// <param name="service">What scores.</param>
    /// <param name="prepared">What is to run.</param>
    /// <param name="cancellation">The client went away.</param>
    /// <returns>One an item, in their order.</returns>
    public static async Task<IReadOnlyList<ItemScores>> RunAsync(
        HttpContext context, ScoringService service, PreparedScores prepared, CancellationToken cancellation)
    {
        var telemetry = RequestTelemetry.Of(context);
        var own = prepared.For(context.Features.Get<RequestClient>()!);
        telemetry.Prepared(own, service.Pair);
        using var running = service.Start(own, telemetry.Elapsed);
        telemetry.Submitted(running);
        return await running.ReadAsync(cancellation);
    }
}
