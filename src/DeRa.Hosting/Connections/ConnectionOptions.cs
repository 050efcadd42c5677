using System.ComponentModel;
using System.ComponentModel.DataAnnotations;

namespace DeRa.Hosting.Connections;

/// <summary>How many connections there may be, and how long and how large what arrives on them.</summary>
public sealed record ConnectionOptions
{
    /// <summary>Connections that may be open at once, over both ports.</summary>
    [Description("Connections that may be open at once, over both ports; more wait until one is closed. Fewer where the limit of open "
        + "files (ulimit -n) leaves fewer beyond 320, which are kept for other things."), Range(1, 1 << 20)]
    public int MaxConnections { get; init; } = 4096;

    /// <summary>Size of a request's headers together, in bytes.</summary>
    [Description("Size of a request's headers together, in bytes."), Range(1024, 1 << 20)]
    public int MaxHeaderBytes { get; init; } = 32 << 10;

    /// <summary>Headers of a request.</summary>
    [Description("Headers of a request."), Range(8, 1024)]
    public int MaxHeaders { get; init; } = 100;

    /// <summary>Seconds for a request's headers.</summary>
    [Description("Seconds that a client may take to send a request's headers."), Range(1, 3600)]
    public int HeaderSeconds { get; init; } = 30;

    /// <summary>Seconds for a request's body.</summary>
    [Description("Seconds that a client may take to send a request's body; request-timeout-seconds, where it is less, counts here too."),
        Range(1, 3600)]
    public int BodySeconds { get; init; } = 60;

    /// <summary>Seconds for which an idle connection stays open.</summary>
    [Description("Seconds for which a connection may stay open with nothing under way."), Range(1, 86400)]
    public int KeepAliveSeconds { get; init; } = 130;
}
