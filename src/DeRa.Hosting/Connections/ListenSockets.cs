using System.Net;
using System.Net.Sockets;
using Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets;

namespace DeRa.Hosting.Connections;

/// <summary>Opens the ports, and says which option is at fault where one cannot be opened.</summary>
public sealed class ListenSockets(EndpointOptions options)
{
    /// <summary>Opens a port.</summary>
    /// <exception cref="IOException">It cannot be opened; the message names the option and the address.</exception>
    public Socket Open(EndPoint endpoint)
    {
        try
        {
            return SocketTransportOptions.CreateDefaultBoundListenSocket(endpoint);
        }
        catch (SocketException fault)
        {
            throw new IOException(Message((IPEndPoint)endpoint, fault), fault);
        }
    }

    private string Message(IPEndPoint endpoint, SocketException fault)
    {
        var port = endpoint.Port == options.HttpPort ? "--http-port" : "--grpc-port";
        return fault.SocketErrorCode switch
        {
            SocketError.AddressAlreadyInUse =>
                $"{port} is {endpoint.Port}, and another program uses {endpoint} already; choose another port, or 0 for any free one.",
            SocketError.AccessDenied =>
                $"{port} is {endpoint.Port}, and this user may not open {endpoint}; ports from 1024 on need no rights.",
            SocketError.AddressNotAvailable => $"--host is '{options.Host}', which is not an address of this machine.",
            SocketError.AddressFamilyNotSupported => $"--host is '{options.Host}', and this machine has no addresses of that kind.",
            _ => $"{port} is {endpoint.Port}, and {endpoint} cannot be opened: {fault.Message}.",
        };
    }
}
