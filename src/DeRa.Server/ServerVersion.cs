using DeRa.Hosting.Programs;

namespace DeRa.Server;

/// <summary>The server's version, as its assembly carries it.</summary>
internal static class ServerVersion
{
    /// <summary>Such as <c>0.1.0+commit</c>.</summary>
    public static string Text { get; } = HostedProgram.VersionOf(typeof(ServerVersion));
}
