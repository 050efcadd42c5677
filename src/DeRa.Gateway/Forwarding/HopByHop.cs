using DeRa.Gateway.Errors;
using Microsoft.Net.Http.Headers;

namespace DeRa.Gateway.Forwarding;

/// <summary>
/// What is between a client and the gateway alone and goes no further (RFC 9110, 7.6.1): headers that the client's Connection names, and
/// a change of protocol, which no replica knows. The forwarder leaves out those that are always so.
/// </summary>
internal static class HopByHop
{
    /// <summary>Removes it.</summary>
    /// <exception cref="GatewayException">Nothing else would remain: the request asks for a tunnel.</exception>
    public static void Remove(HttpRequest request)
    {
        if (HttpMethods.IsConnect(request.Method)) throw new GatewayException(GatewayError.NoTunnel);
        foreach (var name in request.Headers.GetCommaSeparatedValues(HeaderNames.Connection)) request.Headers.Remove(name);
        request.Headers.Remove(HeaderNames.Upgrade);
    }
}
