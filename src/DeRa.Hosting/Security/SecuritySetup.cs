using System.Net;
using DeRa.Hosting.Connections;
using DeRa.Hosting.Options;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Authorization;

namespace DeRa.Hosting.Security;

/// <summary>
/// Puts the security middleware together: host names, other sites' pages (CORS), keys; in this order. Endpoints that
/// generate or encode ask for the numbers of requests themselves (<see cref="RequestLimiting"/>). Whatever is
/// not expressly open (<see cref="IAllowAnonymous"/>) needs a key, paths that lead nowhere too.
/// </summary>
public static class SecuritySetup
{
    /// <summary>Registers what it needs; reads keys and certificate.</summary>
    /// <exception cref="OptionException">A file cannot be read or used.</exception>
    public static IServiceCollection AddSecurity(
        this IServiceCollection services, ApiKeyOptions keyOptions, TlsOptions tls, OriginOptions origins, TimeProvider time)
    {
        var keys = new ApiKeys(keyOptions);
        services.AddSingleton(keyOptions).AddSingleton(origins).AddSingleton(keys);
        if (keys.File is not null) services.AddSingleton(keys.File);
        if (tls.TlsCertificate is not null)
        {
            var certificate = new ServerCertificate(tls, time);
            services.AddSingleton(certificate).AddSingleton(certificate.Files);
        }
        services.AddHostedService<FileReloading>();
        if (keys.AreRequired) services.AddKeyCheck();
        services.AddSingleton<RequestLimiting>();
        // No credentials: a key is sent by the page that has it, never added by the browser.
        return services.AddCors(cors => cors.AddDefaultPolicy(policy => policy.WithOrigins([.. origins.CorsOrigins])
            .AllowAnyHeader().AllowAnyMethod()
            .WithExposedHeaders("x-request-id", "x-generation-id", "x-ignored-fields", "x-should-retry", "Retry-After")));
    }

    /// <summary>AddAuthentication would also set up the encryption of cookies and write a key for it to disk.</summary>
    private static void AddKeyCheck(this IServiceCollection services)
    {
        services.AddAuthenticationCore(scheme => scheme.DefaultScheme = ApiKeyHandler.SchemeName).AddWebEncoders();
        new AuthenticationBuilder(services).AddScheme<AuthenticationSchemeOptions, ApiKeyHandler>(ApiKeyHandler.SchemeName, null);
        services.AddAuthorizationBuilder().SetFallbackPolicy(new AuthorizationPolicyBuilder().RequireAuthenticatedUser().Build());
    }

    /// <summary>Adds it to the request pipeline; after routing.</summary>
    public static void UseSecurity(this WebApplication app, OriginOptions origins, EndpointOptions endpoint)
    {
        if (HostNameFilter.IsNeeded(origins, endpoint)) app.UseMiddleware<HostNameFilter>();
        if (origins.CorsOrigins.Count > 0) app.UseCors();
        if (app.Services.GetRequiredService<ApiKeys>().AreRequired) app.UseAuthentication().UseAuthorization();
        else if (!IPAddress.IsLoopback(endpoint.Address)) HostingLog.OpenToAll(app.Logger, endpoint.Host);
        foreach (var files in app.Services.GetServices<ReloadedFiles>()) files.Warn(app.Logger);
    }
}
