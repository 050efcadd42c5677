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
        app.MapPost("/v1/completions", services.GetRequiredService<CompletionsEndpoint>().HandleAsync);
        app.MapPost("/v1/chat/completions", services.GetRequiredService<ChatEndpoint>().HandleAsync);
        var models = services.GetRequiredService<ModelsEndpoint>();
        app.MapGet("/v1/models", models.ListAsync);
        app.MapGet("/v1/models/{**id}", models.GetAsync);
        var state = services.GetRequiredService<StateEndpoints>();
        app.MapGet("/livez", state.LiveAsync);
        app.MapGet("/readyz", state.ReadyAsync);
        app.MapGet("/health", state.ReadyAsync);
        app.MapGet("/version", StateEndpoints.VersionAsync);
    }
}
