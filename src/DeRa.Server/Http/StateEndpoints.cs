using DeRa.Server.Http.Wire;
using DeRa.Server.Options;
using DeRa.Server.State;

namespace DeRa.Server.Http;

/// <summary>What orchestrators and people ask: alive, ready, which version.</summary>
internal sealed class StateEndpoints(ServingState state, ServerOptions options)
{
    /// <summary>200 while restarting would not help; 503 once the engine has stopped, hangs in a step, or fails in every one.</summary>
    public Task LiveAsync(HttpContext context)
    {
        var isAlive = state.Phase != ServingPhase.Ready
            || state.Pair!.Engine.Status is { IsRunning: true, FailedSteps: < ServingState.MaxFailedSteps } status
            && status.SinceHeartbeat <= TimeSpan.FromSeconds(options.Time.MaxStepSeconds);
        return RespondAsync(context, isAlive, isAlive ? "alive" : "the engine has stopped, hangs or fails in every step");
    }

    /// <summary>200 while requests are taken; else 503 with what the server is doing instead.</summary>
    public Task ReadyAsync(HttpContext context)
    {
        var isReady = state.IsReady;
        return RespondAsync(context, isReady, state.Phase switch
        {
            ServingPhase.Loading => "loading",
            ServingPhase.Ready => isReady ? "ready" : "the engine has stopped or fails in every step",
            ServingPhase.Draining => "draining",
            _ => "failed",
        });
    }

    /// <summary>The server's version.</summary>
    public static Task VersionAsync(HttpContext context) => WireJson.RespondAsync(context.Response, StatusCodes.Status200OK, json =>
    {
        json.WriteStartObject();
        json.WriteString("version"u8, ServerVersion.Text);
        json.WriteEndObject();
    });

    private Task RespondAsync(HttpContext context, bool isWell, string status)
    {
        if (!isWell) context.Response.Headers.RetryAfter = "5";
        return WireJson.RespondAsync(context.Response,
            isWell ? StatusCodes.Status200OK : StatusCodes.Status503ServiceUnavailable, json =>
            {
                json.WriteStartObject();
                json.WriteString("status"u8, status);
                if (state.Phase == ServingPhase.Loading)
                {
                    json.WriteStartObject("loaded"u8);
                    foreach (var (model, fraction) in state.Loaded) json.WriteNumber(model, Math.Round(fraction, 3));
                    json.WriteEndObject();
                }
                json.WriteEndObject();
            });
    }
}
