using DeRa.Engine.Requests;
using DeRa.Serving;
using DeRa.Serving.Requests;
using DeRa.Serving.Streaming;

namespace DeRa.Server.Telemetry;

/// <summary>Runs what a request generates, and reports each stage to the request's telemetry.</summary>
internal static class TracedGeneration
{
    /// <summary>Starts a prepared request as its client's, responds with what it generates, and ends it.</summary>
    /// <param name="context">The request.</param>
    /// <param name="service">What serves it.</param>
    /// <param name="prepared">What is to run.</param>
    /// <param name="responseId">The response's id.</param>
    /// <param name="respond">Reads the generation and writes the response; gives the finish reason of each choice that came back.</param>
    public static async Task RunAsync(HttpContext context, GenerationService service, PreparedGeneration prepared, string responseId,
        Func<Generation, Task<IEnumerable<FinishReason>>> respond)
    {
        var telemetry = RequestTelemetry.Of(context);
        var own = prepared.For(context.Features.Get<RequestClient>()!);
        telemetry.Prepared(own, service.Pair);
        using var generation = service.Start(own, telemetry.Elapsed);
        telemetry.Submitted(generation);
        telemetry.Completed(responseId, await respond(generation));
    }
}
