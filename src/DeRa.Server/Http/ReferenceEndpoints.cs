using DeRa.Server.Http.ApiReference;
using DeRa.Server.Http.Wire;
using DeRa.Server.State;

namespace DeRa.Server.Http;

/// <summary><c>GET /openapi/v1.json</c> and <c>GET /docs</c>: what this server can be asked for, with the effective ranges.</summary>
internal sealed class ReferenceEndpoints(ServingState state)
{
    /// <summary>The OpenAPI document.</summary>
    public async Task OpenApiAsync(HttpContext context)
    {
        using var lease = state.Enter();
        var document = OpenApiDocument.Of(ApiOperations.Of(lease.Pair));
        await WireJson.RespondAsync(context.Response, StatusCodes.Status200OK, json => document.WriteTo(json));
    }

    /// <summary>The page.</summary>
    public async Task PageAsync(HttpContext context)
    {
        using var lease = state.Enter();
        var page = ReferencePage.Of(ApiOperations.Of(lease.Pair), $"{context.Request.Scheme}://{context.Request.Host}");
        context.Response.ContentType = "text/html; charset=utf-8";
        context.Response.Headers.ContentSecurityPolicy = ReferencePage.ContentSecurityPolicy;
        context.Response.Headers.XContentTypeOptions = "nosniff";
        await context.Response.WriteAsync(page, context.RequestAborted);
    }
}
