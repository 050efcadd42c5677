using DeRa.Serving.Loading;

namespace DeRa.Cli.Bench.Pairs;

/// <summary>A random pair in a temporary folder, which disposing removes.</summary>
internal sealed class RandomPair : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("dera-random-pair-");

    /// <inheritdoc cref="RandomPairWriter.Write"/>
    public RandomPair(RandomShape shape, double noise, TextWriter progress, CancellationToken cancellation)
    {
        try
        {
            RandomPairWriter.Write(shape, noise, _folder.FullName, progress, cancellation);
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    /// <summary>The reference model's folder.</summary>
    public string Reference => Path.Combine(_folder.FullName, RandomPairWriter.Reference);

    /// <summary>The aligned model's folder.</summary>
    public string Aligned => Path.Combine(_folder.FullName, RandomPairWriter.Aligned);

    /// <summary>Both.</summary>
    public PairFolders Folders => PairFolders.Choose(Reference, [Aligned]);

    public void Dispose() => _folder.Delete(recursive: true);
}
