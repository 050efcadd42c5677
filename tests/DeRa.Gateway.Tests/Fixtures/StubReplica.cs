using System.Collections.Concurrent;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;

namespace DeRa.Gateway.Tests.Fixtures;

/// <summary>A replica that does what a test says, and keeps what it was sent.</summary>
internal sealed class StubReplica : IAsyncDisposable
{
    private readonly WebApplication _app;

    private StubReplica(WebApplication app) => _app = app;

    /// <summary>Its requests, but for those for its health: path, headers, body.</summary>
    public ConcurrentQueue<(string Path, Dictionary<string, string> Headers, string Body)> Requests { get; } = [];

    /// <summary>What it responds.</summary>
    public RequestDelegate Respond { get; set; } = context => context.Response.WriteAsync("{}");

    /// <summary>What <c>/readyz</c> responds.</summary>
    public int ReadyStatus { get; set; } = StatusCodes.Status200OK;

    /// <summary>What <c>/metrics</c> responds.</summary>
    public string Metrics { get; set; } = "";

    public string Name { get; private set; } = "";

    public static async Task<StubReplica> StartAsync(HttpProtocols protocols = HttpProtocols.Http1)
    {
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel =>
            kestrel.Listen(System.Net.IPAddress.Loopback, 0, listen => listen.Protocols = protocols));
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.AddServerHeader = false);
        var app = builder.Build();
        var stub = new StubReplica(app);
        app.Run(stub.HandleAsync);
        await app.StartAsync();
        stub.Name = app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.First();
        return stub;
    }

    public ValueTask DisposeAsync() => _app.DisposeAsync();

    private async Task HandleAsync(HttpContext context)
    {
        var path = context.Request.Path.Value!;
        if (path == "/readyz")
        {
            context.Response.StatusCode = ReadyStatus;
            return;
        }
        if (path == "/metrics")
        {
            await context.Response.WriteAsync(Metrics);
            return;
        }
        using var reader = new StreamReader(context.Request.Body);
        var body = await reader.ReadToEndAsync();
        Requests.Enqueue((path + context.Request.QueryString,
            context.Request.Headers.ToDictionary(header => header.Key, header => header.Value.ToString(), StringComparer.OrdinalIgnoreCase),
            body));
        await Respond(context);
    }
}
