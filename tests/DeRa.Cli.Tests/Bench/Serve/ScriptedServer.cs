using System.Collections.Concurrent;
using System.Net;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace DeRa.Cli.Tests.Bench.Serve;

/// <summary>A server of completions and chat completions that answers what a test says, and keeps what it was asked.</summary>
internal sealed class ScriptedServer : IAsyncDisposable
{
    private readonly WebApplication _app;

    /// <param name="answer">Writes the response to a request; the number says which request it is, from 0.</param>
    private ScriptedServer(Func<HttpContext, int, Task> answer)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, 0));
        _app = builder.Build();
        _app.MapPost("/v1/completions", ServeAsync);
        _app.MapPost("/v1/chat/completions", ServeAsync);

        async Task ServeAsync(HttpContext context)
        {
            var request = await JsonNode.ParseAsync(context.Request.Body, cancellationToken: context.RequestAborted);
            int number;
            lock (Requests)
            {
                number = Requests.Count;
                Requests.Add(request!.AsObject());
                Paths.Add(context.Request.Path);
                Authorizations.Add(context.Request.Headers.Authorization.ToString());
            }
            Connections[context.Connection.Id] = true;
            await answer(context, number);
        }
    }

    /// <summary>What it was asked, in the order in which it came.</summary>
    public List<JsonObject> Requests { get; } = [];

    /// <summary>The paths of <see cref="Requests"/>.</summary>
    public List<string> Paths { get; } = [];

    /// <summary>Their headers of authorization; empty = none.</summary>
    public List<string> Authorizations { get; } = [];

    /// <summary>Connections over which requests came.</summary>
    public ConcurrentDictionary<string, bool> Connections { get; } = [];

    public Uri Address => new(_app.Urls.First());

    public static async Task<ScriptedServer> StartAsync(Func<HttpContext, int, Task> answer)
    {
        var server = new ScriptedServer(answer);
        await server._app.StartAsync();
        return server;
    }

    public ValueTask DisposeAsync() => _app.DisposeAsync();

    /// <summary>Answers with these events.</summary>
    public static async Task StreamAsync(HttpContext context, params string[] events)
    {
        context.Response.ContentType = "text/event-stream";
        foreach (var data in events) await context.Response.WriteAsync($"data: {data}\n\n");
    }

    /// <summary>An event with a piece of the reply.</summary>
    public static string Piece(string text) =>
        new JsonObject { ["choices"] = new JsonArray(new JsonObject { ["delta"] = new JsonObject { ["content"] = text } }) }.ToJsonString();

    /// <summary>Refuses a request.</summary>
    public static Task RefuseAsync(HttpContext context, int status, string error)
    {
        context.Response.StatusCode = status;
        return context.Response.WriteAsync("{\"error\": " + error + "}");
    }
}
