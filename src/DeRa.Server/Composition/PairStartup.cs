using DeRa.Server.Options;
using DeRa.Torch;

namespace DeRa.Server.Composition;

/// <summary>Loads the pair that the options name, or the default pair.</summary>
internal static class PairStartup
{
    /// <summary>The loader for these options; a terminal shows how far it is.</summary>
    public static PairSource For(ServerOptions options, ILoggerFactory loggers) => (progress, cancellation) =>
    {
        if (options.IsDefaultPair) ServerLog.DefaultPair(loggers.CreateLogger(typeof(PairStartup)), options.ServedName);
        var shown = Console.IsOutputRedirected ? progress : new ConsoleLoadProgress(Console.Out, progress);
        return ServedPairLoader.LoadAsync(options.ToServedPairOptions(), shown, loggers, TimeProvider.System, cancellation);
    };
}
