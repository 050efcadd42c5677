using DeRa.Hosting.Listening;
using DeRa.Hosting.Security;
using DeRa.Server.Http.Page;
using DeRa.Server.State;
using DeRa.Server.Telemetry;

namespace DeRa.Server.Http;

/// <summary>HTTP: its services and its paths.</summary>
internal static class HttpEndpoints
{
    /// <summary>Registers the endpoints.</summary>
    public static IServiceCollection AddHttpEndpoints(this IServiceCollection services) => services
        .AddSingleton<JsonRequestReader>()
        .AddSingleton<CompletionsEndpoint>()
        .AddSingleton<ChatEndpoint>()
        .AddSingleton<RunningGenerations>()
        .AddSingleton<GenerationChangeEndpoint>()
        .AddSingleton<TokenizerEndpoints>()
        .AddSingleton<ScoreEndpoint>()
        .AddSingleton<ModelsEndpoint>()
        .AddSingleton<InfoEndpoint>()
        .AddSingleton<ReferenceEndpoints>()
        .AddSingleton<StateEndpoints>();

    /// <summary>Maps the paths.</summary>
    public static void MapHttpEndpoints(this WebApplication app)
    {
        var services = app.Services;
        app.MapPost("/v1/completions", services.GetRequiredService<CompletionsEndpoint>().HandleAsync);
        app.MapPost("/v1/chat/completions", services.GetRequiredService<ChatEndpoint>().HandleAsync);
        app.MapPost(RunningGenerations.Path + "/{id}", services.GetRequiredService<GenerationChangeEndpoint>().HandleAsync);
        app.MapPost("/v1/realignment/score", services.GetRequiredService<ScoreEndpoint>().HandleAsync);
        var tokenizer = services.GetRequiredService<TokenizerEndpoints>();
        foreach (var prefix in (string[])["", "/v1"])
        {
            app.MapPost(prefix + "/tokenize", tokenizer.TokenizeAsync);
            app.MapPost(prefix + "/detokenize", tokenizer.DetokenizeAsync);
        }
        var models = services.GetRequiredService<ModelsEndpoint>();
        app.MapRead("/v1/models", models.ListAsync);
        app.MapRead("/v1/models/{**id}", models.GetAsync);
        var state = services.GetRequiredService<StateEndpoints>();
        app.MapRead("/livez", state.LiveAsync).AllowAnonymous().WithMetadata(Probe.Health);
        app.MapRead("/readyz", state.ReadyAsync).AllowAnonymous().WithMetadata(Probe.Health);
        // Where load balancers look that were set up for vLLM, TGI, SGLang or llama.cpp.
        app.MapRead("/health", state.ReadyAsync).AllowAnonymous().WithMetadata(Probe.Health);
        app.MapRead("/metrics", services.GetRequiredService<MetricsEndpoint>().HandleAsync).WithMetadata(Probe.Scrape);
        app.MapRead("/version", StateEndpoints.VersionAsync);
        // Made now: its uptime counts from here.
        app.MapRead("/info", services.GetRequiredService<InfoEndpoint>().HandleAsync);
        var reference = services.GetRequiredService<ReferenceEndpoints>();
        app.MapRead("/openapi/v1.json", reference.OpenApiAsync);
        app.MapRead("/docs", reference.PageAsync);
        app.MapRead("/", PageEndpoints.RootAsync).AllowAnonymous();
        foreach (var file in PageFile.All.Where(file => file.Name != PageFile.Index))
            app.MapRead(PageEndpoints.Folder + file.Name, context => PageEndpoints.RespondAsync(context, file)).AllowAnonymous();
    }

    /// <summary>GET, and HEAD, with which some monitors ask (<see cref="HeadRequests"/>).</summary>
    private static IEndpointConventionBuilder MapRead(this WebApplication app, string path, RequestDelegate handle) =>
        app.MapMethods(path, [HttpMethods.Get, HttpMethods.Head], handle);
}
