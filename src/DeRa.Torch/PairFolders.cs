namespace DeRa.Torch;

/// <summary>The two folders that are served: the caller's, or those of the default pair, which comes with the program.</summary>
/// <param name="Reference">Folder of the reference model (λ = 0).</param>
/// <param name="Aligned">Folder of the aligned model (λ = 1).</param>
public sealed record PairFolders(string Reference, string Aligned)
{
    /// <summary>The name under which the default pair is served.</summary>
    public const string DefaultName = "stories";

    /// <summary>The caller's two folders, or the default pair where neither is given.</summary>
    /// <param name="reference">What <c>--reference</c> names; null = not given.</param>
    /// <param name="aligned">What <c>--aligned</c> names; null = not given.</param>
    /// <exception cref="FormatException">Only one is given, or neither and the program has no default pair.</exception>
    public static PairFolders Choose(string? reference, string? aligned) => Choose(reference, aligned, AppContext.BaseDirectory);

    /// <inheritdoc cref="Choose(string, string)"/>
    /// <param name="reference">What <c>--reference</c> names; null = not given.</param>
    /// <param name="aligned">What <c>--aligned</c> names; null = not given.</param>
    /// <param name="programFolder">The folder in which models/default lies.</param>
    internal static PairFolders Choose(string? reference, string? aligned, string programFolder) => (reference, aligned) switch
    {
        (null, null) => Default(programFolder),
        (null, _) => throw OneAlone("--aligned", "--reference"),
        (_, null) => throw OneAlone("--reference", "--aligned"),
        _ => new PairFolders(reference, aligned),
    };

    private static PairFolders Default(string programFolder)
    {
        var folder = Path.Combine(programFolder, "models", "default");
        var pair = new PairFolders(Path.Combine(folder, "reference"), Path.Combine(folder, "aligned"));
        return Directory.Exists(pair.Reference) && Directory.Exists(pair.Aligned)
            ? pair
            : throw new FormatException(
                $"There is no default pair: {folder} does not hold reference and aligned. Name a pair with --reference and --aligned.");
    }

    private static FormatException OneAlone(string given, string missing) => new(
        $"{given} is given without {missing}; a pair needs both. With neither, the default pair '{DefaultName}' is served.");
}
