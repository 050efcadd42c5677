using System.ComponentModel;
using DeRa.Hosting.Options;

namespace DeRa.Hosting.Security;

/// <summary>Which web pages may call the server, and under which names it responds.</summary>
public sealed record OriginOptions
{
    /// <summary>Origins of pages that may call.</summary>
    [Description("Origin of web pages that may call the server, such as https://chat.example.com; several may be given; * is any."),
        Option(Placeholder = "ORIGIN", DefaultText = "none")]
    public IReadOnlyList<string> CorsOrigins { get; init; } = [];

    /// <summary>Host names under which it responds.</summary>
    [Description("Host name under which the server answers, such as api.example.com or *.example.com; several may be given; * is any."),
        Option(Placeholder = "NAME", DefaultText = "localhost and its addresses while listening on loopback, else any")]
    public IReadOnlyList<string> AllowedHosts { get; init; } = [];

    /// <summary>Checks that they are origins and host names.</summary>
    /// <exception cref="OptionException">The first thing that is wrong.</exception>
    public void Check()
    {
        foreach (var origin in CorsOrigins)
            if (!IsOrigin(origin) && (origin != "*" || CorsOrigins.Count > 1))
                throw new OptionException($"--cors-origins holds '{origin}'; it must be an origin such as https://chat.example.com or "
                    + "http://localhost:3000, without path and in lower case, or * alone.");
        foreach (var host in AllowedHosts)
            if (!IsHost(host))
                throw new OptionException($"--allowed-hosts holds '{host}'; it must be a host name or address without port, such as "
                    + "api.example.com, *.example.com or [::1], or *.");
    }

    private static bool IsOrigin(string text) => Uri.TryCreate(text, UriKind.Absolute, out var uri)
        && (uri.Scheme == Uri.UriSchemeHttp || uri.Scheme == Uri.UriSchemeHttps) && uri.GetLeftPart(UriPartial.Authority) == text;

    private static bool IsHost(string text) => text == "*"
        || Uri.CheckHostName(text.StartsWith("*.", StringComparison.Ordinal) ? text[2..] : text)
            is UriHostNameType.Dns or UriHostNameType.IPv4
        || (text.StartsWith('[') && text.EndsWith(']') && Uri.CheckHostName(text[1..^1]) == UriHostNameType.IPv6);
}
