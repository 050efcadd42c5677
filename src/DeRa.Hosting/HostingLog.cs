namespace DeRa.Hosting;

/// <summary>Every message that the parts of this project log.</summary>
internal static partial class HostingLog
{
    [LoggerMessage(20, LogLevel.Warning, "Anybody who reaches {Host} may use this server: there are no API keys (--api-keys FILE).")]
    public static partial void OpenToAll(ILogger log, string host);

    [LoggerMessage(21, LogLevel.Information, "{Files} changed and is in use.")]
    public static partial void FileReread(ILogger log, string files);

    [LoggerMessage(22, LogLevel.Error, "Reload failed; keeping the previous configuration: {Fault}")]
    public static partial void FileUnusable(ILogger log, string fault);

    [LoggerMessage(23, LogLevel.Warning, "{Warning}")]
    public static partial void FileWarning(ILogger log, string warning);
}
