using DeRa.Hosting.Options;
using DeRa.Server.Options;

namespace DeRa.Hosting.Security;

/// <summary>Checks the locks' options for what their types do not say.</summary>
internal static class LockOptions
{
    /// <summary>Checks them.</summary>
    /// <exception cref="OptionException">The first thing that is wrong.</exception>
    public static void Check(ServerOptions options)
    {
        if (options.TlsCertificate is null && options.TlsKey is not null)
            throw new OptionException("--tls-key is given without --tls-certificate.");
        if (options.TlsCertificate is null && options.TlsPassword is not null)
            throw new OptionException("--tls-password is given without --tls-certificate.");
        foreach (var origin in options.CorsOrigins)
            if (!IsOrigin(origin) && (origin != "*" || options.CorsOrigins.Count > 1))
                throw new OptionException($"--cors-origins holds '{origin}'; it must be an origin such as https://chat.example.com or "
                    + "http://localhost:3000, without path and in lower case, or * alone.");
        foreach (var host in options.AllowedHosts)
            if (!IsHost(host))
                throw new OptionException($"--allowed-hosts holds '{host}'; it must be a host name or address without port, such as "
                    + "api.example.com, *.example.com or [::1], or *.");
    }

    private static bool IsOrigin(string text) => Uri.TryCreate(text, UriKind.Absolute, out var uri)
        && (uri.Scheme == Uri.UriSchemeHttp || uri.Scheme == Uri.UriSchemeHttps) && uri.GetLeftPart(UriPartial.Authority) == text;

    private static bool IsHost(string text) => text == "*"
        || Uri.CheckHostName(text.StartsWith("*.", StringComparison.Ordinal) ? text[2..] : text) is UriHostNameType.Dns or UriHostNameType.IPv4
        || (text.StartsWith('[') && text.EndsWith(']') && Uri.CheckHostName(text[1..^1]) == UriHostNameType.IPv6);
}
