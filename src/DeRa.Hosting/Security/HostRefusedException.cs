namespace DeRa.Hosting.Security;

/// <summary>A request under a host name that is not this server's.</summary>
public sealed class HostRefusedException() : Exception(
    "This server does not answer under the host name of the request; --allowed-hosts adds names.");
