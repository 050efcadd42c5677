using System.Security.Claims;
using System.Text.Encodings.Web;
using Microsoft.AspNetCore.Authentication;
using Microsoft.Extensions.Options;

namespace DeRa.Hosting.Security;

/// <summary>Knows a client by <c>Authorization: Bearer KEY</c>: a header of HTTP and, under the same name, of gRPC.</summary>
internal sealed class ApiKeyHandler(
    IOptionsMonitor<AuthenticationSchemeOptions> options, ILoggerFactory loggers, UrlEncoder encoder, ApiKeys keys)
    : AuthenticationHandler<AuthenticationSchemeOptions>(options, loggers, encoder)
{
    /// <summary>The scheme's name, which is also what the header begins with.</summary>
    public const string SchemeName = "Bearer";

    /// <inheritdoc/>
    protected override Task<AuthenticateResult> HandleAuthenticateAsync()
    {
        if (Presented() is not { } presented) return Task.FromResult(AuthenticateResult.NoResult());
        if (keys.Find(presented) is not { } key) return Task.FromResult(AuthenticateResult.Fail("no such key"));
        Context.Features.Set(key);
        var identity = new ClaimsIdentity([new Claim(ClaimTypes.Name, key.Name)], SchemeName);
        return Task.FromResult(AuthenticateResult.Success(new AuthenticationTicket(new ClaimsPrincipal(identity), SchemeName)));
    }

    /// <inheritdoc/>
    protected override Task HandleChallengeAsync(AuthenticationProperties properties)
    {
        Response.Headers.WWWAuthenticate = SchemeName;
        throw new KeyRefusedException(wasPresented: Request.Headers.Authorization.Count > 0);
    }

    private string? Presented()
    {
        const string before = SchemeName + " ";
        var header = Request.Headers.Authorization;
        return header.Count == 1 && header[0] is { } text && text.StartsWith(before, StringComparison.OrdinalIgnoreCase)
            ? text[before.Length..].Trim() : null;
    }
}
