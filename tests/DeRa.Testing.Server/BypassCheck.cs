using System.Collections.Concurrent;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;

namespace DeRa.Testing.Server;

/// <summary>
/// Finds requests that reach a server past the gateway in front of it: the gateway gives each of its clients' requests a header, which it
/// forwards with the others.
/// </summary>
internal sealed class BypassCheck
{
    private const string Header = "x-sent-through-gateway";

    /// <summary>The gateway asks for these itself, and forwards no request for them.</summary>
    private static readonly PathString[] OfGateway = ["/readyz", "/metrics"];

    private int _forwarded;

    /// <summary>Requests that came through the gateway.</summary>
    public int Forwarded => Volatile.Read(ref _forwarded);

    /// <summary>The paths of those that did not.</summary>
    public ConcurrentQueue<string> Bypasses { get; } = [];

    /// <summary>Makes the gateway add the header.</summary>
    public static void AddToGateway(IServiceCollection services) => AddFirst(services, request => request.Headers[Header] = "yes");

    /// <summary>Makes the server look for it.</summary>
    public void AddToServer(IServiceCollection services) => AddFirst(services, Look);

    private void Look(HttpRequest request)
    {
        if (request.Headers.ContainsKey(Header)) Interlocked.Increment(ref _forwarded);
        else if (!OfGateway.Contains(request.Path)) Bypasses.Enqueue(request.Path);
    }

    private static void AddFirst(IServiceCollection services, Action<HttpRequest> see) =>
        services.AddSingleton<IStartupFilter>(new FirstMiddleware(see));

    private sealed class FirstMiddleware(Action<HttpRequest> see) : IStartupFilter
    {
        public Action<IApplicationBuilder> Configure(Action<IApplicationBuilder> next) => app =>
        {
            app.Use((context, rest) =>
            {
                see(context.Request);
                return rest(context);
            });
            next(app);
        };
    }
}
