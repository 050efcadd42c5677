using DeRa.Hosting.Security;
using DeRa.Server.Options;
using DeRa.Serving.Requests;

namespace DeRa.Server.Composition;

/// <summary>
/// Says whose each request is, after its key is known: a client is a key or, where none are needed, a connection. Nothing that a
/// client sends beside its key has a part in it.
/// </summary>
internal sealed class ClientMiddleware(RequestDelegate next, ServerOptions options)
{
    /// <summary>Runs the request.</summary>
    public Task InvokeAsync(HttpContext context)
    {
        var key = context.Features.Get<ApiKey>()?.Name;
        context.Features.Set(new RequestClient(key ?? context.Connection.Id, options.Compute.ShareCacheBetweenKeys ? null : key));
        return next(context);
    }
}
