using DeRa.Server.Locks;
using DeRa.Server.Telemetry;

namespace DeRa.Server.Http;

/// <summary>The HTTP door: its services and its paths.</summary>
internal static class HttpDoor
{
    /// <summary>Registers the endpoints.</summary>
    public static IServiceCollection AddHttpDoor(this IServiceCollection services) => services
        .AddSingleton<CompletionsEndpoint>()
        .AddSingleton<ChatEndpoint>()
        .AddSingleton<ModelsEndpoint>()
        .AddSingleton<StateEndpoints>();

    /// <summary>Maps the paths.</summary>
    public static void MapHttpDoor(this WebApplication app)
    {
        var services = app.Services;
        app.MapPost("/v1/completions", services.GetRequiredService<CompletionsEndpoint>().HandleAsync).RequireRateLimiting(RequestLimiting.Generating);
        app.MapPost("/v1/chat/completions", services.GetRequiredService<ChatEndpoint>().HandleAsync).RequireRateLimiting(RequestLimiting.Generating);
        var models = services.GetRequiredService<ModelsEndpoint>();
        app.MapRead("/v1/models", models.ListAsync);
        app.MapRead("/v1/models/{**id}", models.GetAsync);
        var state = services.GetRequiredService<StateEndpoints>();
        app.MapRead("/livez", state.LiveAsync).AllowAnonymous();
        app.MapRead("/readyz", state.ReadyAsync).AllowAnonymous();
        app.MapRead("/health", state.ReadyAsync);
        app.MapRead("/metrics", services.GetRequiredService<MetricsEndpoint>().HandleAsync);
        app.MapRead("/version", StateEndpoints.VersionAsync);
    }

    /// <summary>GET, and HEAD, with which some monitors ask: the server then leaves the body out.</summary>
    private static IEndpointConventionBuilder MapRead(this WebApplication app, string path, RequestDelegate answer) =>
        app.MapMethods(path, [HttpMethods.Get, HttpMethods.Head], answer);
}
