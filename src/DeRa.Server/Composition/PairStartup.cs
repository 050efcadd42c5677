using DeRa.Server.Options;
using DeRa.Serving.Loading;

namespace DeRa.Server.Composition;

/// <summary>Loads the pair that the options name, or the default pair.</summary>
internal static class PairStartup
{
    /// <summary>
    /// The loader for these options; a terminal shows how far it is. What is going to be loaded is said here and now: it is a start's
    /// first line, and what follows may take minutes.
    /// </summary>
    public static PairSource For(ServerOptions options, ILoggerFactory loggers)
    {
        var log = loggers.CreateLogger(typeof(PairStartup));
        if (options.Model.IsDefaultPair) ServerLog.LoadingDefaultPair(log, options.Model.ServedName);
        else ServerLog.LoadingPair(log, options.Model.ServedName, options.Model.Reference!, string.Join(", ", options.Model.Aligned));
        return (progress, cancellation) =>
        {
            var shown = Console.IsOutputRedirected ? progress : new ConsoleLoadProgress(Console.Out, progress);
            return ServedPairLoader.LoadAsync(options.ToServedPairOptions(), shown, loggers, TimeProvider.System, cancellation);
        };
    }
}
