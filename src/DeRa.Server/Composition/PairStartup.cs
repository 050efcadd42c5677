using DeRa.Server.Options;

namespace DeRa.Server.Composition;

/// <summary>Loads the pair that the options name.</summary>
internal static class PairStartup
{
    /// <summary>The loader for these options.</summary>
    public static PairSource For(ServerOptions options, ILoggerFactory loggers) => (progress, cancellation) =>
        throw new InvalidOperationException($"loading {options.Reference} is not wired up {loggers} {progress} {cancellation}");
}
