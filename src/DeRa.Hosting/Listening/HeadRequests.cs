using Microsoft.AspNetCore.Http.Features;

namespace DeRa.Hosting.Listening;

/// <summary>
/// Responds to HEAD as to GET, errors too, and leaves the body out. Kestrel does so for HTTP/1.1 alone: over HTTP/2 it
/// sends what is written to the response's pipe, which is an error of the protocol.
/// </summary>
public sealed class HeadRequests(RequestDelegate next)
{
    /// <summary>Runs the request.</summary>
    public async Task InvokeAsync(HttpContext context)
    {
        if (!HttpMethods.IsHead(context.Request.Method))
        {
            await next(context);
            return;
        }
        var body = context.Features.GetRequiredFeature<IHttpResponseBodyFeature>();
        var nowhere = new StreamResponseBodyFeature(Stream.Null);
        context.Features.Set<IHttpResponseBodyFeature>(nowhere);
        try
        {
            await next(context);
        }
        finally
        {
            context.Features.Set(body);
        }
    }
}
