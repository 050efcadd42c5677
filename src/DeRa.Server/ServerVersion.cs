using System.Reflection;

namespace DeRa.Server;

/// <summary>The server's version, as its assembly carries it.</summary>
internal static class ServerVersion
{
    /// <summary>Such as <c>0.1.0+commit</c>.</summary>
    public static string Text { get; } = typeof(ServerVersion).Assembly
        .GetCustomAttribute<AssemblyInformationalVersionAttribute>()!.InformationalVersion;
}
