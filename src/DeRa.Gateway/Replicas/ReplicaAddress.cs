using System.Globalization;
using System.Net;

namespace DeRa.Gateway.Replicas;

/// <summary>Where a replica is.</summary>
/// <param name="Http">Where it serves HTTP; ends with a slash.</param>
/// <param name="Grpc">Where it serves gRPC; null = it does not.</param>
/// <param name="HostName">The name that has this address; null = it is in the addresses themselves.</param>
public sealed record ReplicaAddress(Uri Http, Uri? Grpc, string? HostName = null)
{
    private const string Form = "http://HOST:PORT, with +PORT where gRPC has a port of its own, such as http://10.0.0.1:8080+8081";

    /// <summary>Its name in logs and metrics, which also decides what comes to it: where it serves HTTP.</summary>
    public string Name => Http.GetLeftPart(UriPartial.Authority);

    /// <summary>Reads one.</summary>
    /// <param name="text">As <c>http://10.0.0.1:8080+8081</c>.</param>
    /// <param name="origin">Where it was given, for the error.</param>
    /// <exception cref="FormatException">It is none.</exception>
    public static ReplicaAddress Parse(string text, string origin)
    {
        var plus = text.LastIndexOf('+');
        var address = plus < 0 ? text : text[..plus];
        if (!Uri.TryCreate(address, UriKind.Absolute, out var http)
            || (http.Scheme != Uri.UriSchemeHttp && http.Scheme != Uri.UriSchemeHttps)
            || http.PathAndQuery != "/" || http.UserInfo.Length > 0 || http.Fragment.Length > 0) throw Wrong(text, origin);
        if (plus < 0) return new ReplicaAddress(http, http.Scheme == Uri.UriSchemeHttps ? http : null);
        return ushort.TryParse(text.AsSpan(plus + 1), NumberStyles.None, CultureInfo.InvariantCulture, out var port) && port > 0
            ? new ReplicaAddress(http, new UriBuilder(http) { Port = port }.Uri) : throw Wrong(text, origin);
    }

    /// <summary>The addresses in a list with commas between them.</summary>
    /// <exception cref="FormatException">One is none.</exception>
    public static IEnumerable<ReplicaAddress> ParseList(IEnumerable<string> texts, string origin) => texts
        .SelectMany(text => text.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries))
        .Select(text => Parse(text, origin));

    /// <summary>The same at one of its host name's addresses.</summary>
    public ReplicaAddress At(IPAddress address) =>
        new(At(Http, address), Grpc is null ? null : At(Grpc, address), Http.Host);

    /// <summary>
    /// What a request there has as its host, which the certificate must be for; null = what the address says. A replica that was looked up
    /// by name is asked for that name: no certificate is for an address that comes and goes.
    /// </summary>
    /// <param name="uri">Where the request goes.</param>
    public string? HostOf(Uri uri) => HostName is null ? null : $"{HostName}:{uri.Port}";

    private static Uri At(Uri uri, IPAddress address) => new UriBuilder(uri) { Host = address.ToString() }.Uri;

    private static FormatException Wrong(string text, string origin) =>
        new($"{origin} holds '{text}'; an address must be {Form}.");
}
