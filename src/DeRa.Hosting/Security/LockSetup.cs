using System.Net;
using DeRa.Server;
using DeRa.Server.Options;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Authorization;

namespace DeRa.Hosting.Security;

/// <summary>
/// Puts the locks together: host names, other sites' pages (CORS), keys; in this order. Endpoints that
/// generate or encode ask for the numbers of requests themselves (<see cref="RequestLimiting"/>). Whatever is
/// not expressly open (<see cref="IAllowAnonymous"/>) needs a key, paths that lead nowhere too.
/// </summary>
internal static class LockSetup
{
    /// <summary>Registers what the locks need; reads keys and certificate.</summary>
    /// <exception cref="OptionException">A file cannot be read or used.</exception>
    public static IServiceCollection AddLocks(this IServiceCollection services, ServerOptions options, TimeProvider time)
    {
        var keys = new ApiKeys(options);
        services.AddSingleton(keys);
        if (keys.File is not null) services.AddSingleton(keys.File);
        if (options.TlsCertificate is not null)
        {
            var certificate = new ServerCertificate(options, time);
            services.AddSingleton(certificate).AddSingleton(certificate.Files);
        }
        services.AddHostedService<FileRefresh>();
        if (keys.AreRequired) services.AddKeyCheck();
        services.AddSingleton<RequestLimiting>();
        // No credentials: a key is sent by the page that has it, never added by the browser.
        return services.AddCors(cors => cors.AddDefaultPolicy(policy => policy.WithOrigins([.. options.CorsOrigins])
            .AllowAnyHeader().AllowAnyMethod().WithExposedHeaders("x-request-id", "x-ignored-fields", "x-should-retry", "Retry-After")));
    }

    /// <summary>AddAuthentication would also set up the encryption of cookies and write a key for it to disk.</summary>
    private static void AddKeyCheck(this IServiceCollection services)
    {
        services.AddAuthenticationCore(scheme => scheme.DefaultScheme = ApiKeyHandler.SchemeName).AddWebEncoders();
        new AuthenticationBuilder(services).AddScheme<AuthenticationSchemeOptions, ApiKeyHandler>(ApiKeyHandler.SchemeName, null);
        services.AddAuthorizationBuilder().SetFallbackPolicy(new AuthorizationPolicyBuilder().RequireAuthenticatedUser().Build());
    }

    /// <summary>Adds the locks to the way of a request; after routing.</summary>
    public static void UseLocks(this WebApplication app, ServerOptions options)
    {
        if (HostFence.IsNeeded(options)) app.UseMiddleware<HostFence>();
        if (options.CorsOrigins.Count > 0) app.UseCors();
        if (app.Services.GetRequiredService<ApiKeys>().AreRequired) app.UseAuthentication().UseAuthorization();
        else if (!IPAddress.IsLoopback(OptionReader.Address(options.Host))) ServerLog.OpenToAll(app.Logger, options.Host);
        foreach (var files in app.Services.GetServices<WatchedFiles>()) files.Warn(app.Logger);
    }
}
