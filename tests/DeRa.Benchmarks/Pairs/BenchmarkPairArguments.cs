using System.CommandLine;
using DeRa.Cli.Bench.Pairs;
using DeRa.Engine;
using DeRa.Serving;
using DeRa.Serving.Loading;

namespace DeRa.Benchmarks.Pairs;

/// <summary>Which pair a benchmark runs: two folders, one of random weights, or, where neither is given, the default pair.</summary>
internal sealed class BenchmarkPairArguments
{
    private readonly Argument<string[]> _folders = new("MODEL_FOLDER")
    {
        Description = "The reference model's folder, then the aligned model's (default: the default pair's)",
        Arity = new ArgumentArity(0, 2),
    };

    private readonly Option<string?> _random = new("--random") { Description = "A pair of random weights of this size instead" };

    /// <summary>Declares them.</summary>
    public void AddTo(Command command)
    {
        _random.AcceptOnlyFromAmong([.. RandomShape.ByName.Keys]);
        command.Add(_folders);
        command.Add(_random);
        command.Validators.Add(result =>
        {
            var folders = result.GetResult(_folders)?.Tokens.Count ?? 0;
            if (folders == 1) result.AddError("MODEL_FOLDER is given once; a pair needs the reference model's and the aligned model's.");
            if (folders > 0 && result.GetValue(_random) is not null) result.AddError("--random is given beside folders; one pair is run.");
        });
    }

    /// <summary>Loads the pair with the engine's defaults. What is temporary of it is gone when this returns.</summary>
    /// <param name="parsed">The command line; progress goes to its error stream.</param>
    /// <param name="cancellation">Stops loading.</param>
    public async Task<ServedPair> LoadAsync(ParseResult parsed, CancellationToken cancellation)
    {
        if (parsed.GetValue(_random) is not { } size)
        {
            var folders = parsed.GetValue(_folders) is [var reference, var aligned]
                ? PairFolders.Choose(reference, [aligned]) : PairFolders.Choose(null, []);
            return await BenchmarkPair.LoadAsync(folders, new EngineOptions(), cancellation);
        }
        var shape = RandomShape.ByName[size];
        using var random = new RandomPair(shape, shape.Noise, parsed.InvocationConfiguration.Error, cancellation);
        return await BenchmarkPair.LoadAsync(random.Folders, new EngineOptions(), cancellation);
    }
}
