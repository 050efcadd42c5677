using Microsoft.AspNetCore.Http.Headers;
using Microsoft.Net.Http.Headers;

namespace DeRa.Server.Http.Page;

/// <summary>
/// <c>GET /</c> and <c>GET /page/…</c>: the page on which strengths are moved. It needs no key and holds nothing of the pair; what it
/// shows it asks the API for, with the key that its reader gives it.
/// </summary>
internal static class PageEndpoints
{
    /// <summary>Where its files are.</summary>
    public const string Folder = "/page/";

    /// <summary>What a browser may do with the page: load its own files and call this server.</summary>
    public const string ContentSecurityPolicy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
        + "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; "
        + "trusted-types 'none'";

    private static readonly MediaTypeHeaderValue Html = new("text/html");

    /// <summary>The page. Programs that take no HTML are shown what there is to call.</summary>
    public static Task RootAsync(HttpContext context)
    {
        context.Response.Headers.Vary = HeaderNames.Accept;
        if (TakesHtml(context.Request)) return RespondAsync(context, PageFile.All.Single(file => file.Name == PageFile.Index));
        context.Response.Redirect("/openapi/v1.json");
        return Task.CompletedTask;
    }

    /// <summary>One of its files. A browser asks each time whether the one that it has is still right: all are of one version.</summary>
    public static Task RespondAsync(HttpContext context, PageFile file)
    {
        var headers = context.Response.Headers;
        headers.ContentSecurityPolicy = ContentSecurityPolicy;
        headers.XContentTypeOptions = "nosniff";
        headers.CacheControl = "no-cache";
        headers["Referrer-Policy"] = "no-referrer";
        return TypedResults.Bytes(file.Content, file.ContentType, entityTag: file.Tag).ExecuteAsync(context);
    }

    private static bool TakesHtml(HttpRequest request) =>
        new RequestHeaders(request.Headers).Accept is not { Count: > 0 } taken || taken.Any(type => Html.IsSubsetOf(type));
}
