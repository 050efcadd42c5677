using DeRa.Serving.Requests;
using DeRa.Torch.Execution;

namespace DeRa.Serving.Loading;

/// <summary>The folders that are served: the caller's, or those of the default pair, which comes with the program.</summary>
/// <param name="Reference">Folder of the reference model (λ = 0).</param>
/// <param name="Aligned">The aligned models (λ = 1); at least one.</param>
public sealed record PairFolders(string Reference, IReadOnlyList<AlignedFolder> Aligned)
{
    /// <summary>The name under which the default pair is served.</summary>
    public const string DefaultName = "stories";

    /// <summary>The caller's folders, or the default pair where none is given.</summary>
    /// <param name="reference">What <c>--reference</c> names; null = not given.</param>
    /// <param name="aligned">What each <c>--aligned</c> names (see <see cref="ParseAligned"/>); empty = not given.</param>
    /// <exception cref="FormatException">
    /// One is given without the other, neither is and the program has no default pair, or an aligned model's name is missing.
    /// </exception>
    public static PairFolders Choose(string? reference, IReadOnlyList<string> aligned) =>
        Choose(reference, aligned, AppContext.BaseDirectory);

    /// <inheritdoc cref="Choose(string, IReadOnlyList{string})"/>
    /// <param name="reference">What <c>--reference</c> names; null = not given.</param>
    /// <param name="aligned">What each <c>--aligned</c> names; empty = not given.</param>
    /// <param name="programFolder">The folder in which models/default lies.</param>
    internal static PairFolders Choose(string? reference, IReadOnlyList<string> aligned, string programFolder) =>
        (reference, aligned) switch
        {
            (null, []) => Default(programFolder),
            (null, _) => throw OneAlone("--aligned", "--reference"),
            (_, []) => throw OneAlone("--reference", "--aligned"),
            _ => new PairFolders(reference, ParseAligned(aligned)),
        };

    /// <summary>
    /// Reads the values of <c>--aligned</c>: <c>NAME=FOLDER</c> each, or one folder alone, which is then named
    /// <see cref="ServedNames.DefaultAligned"/>. What stands before '=' and is no name (a path) belongs to the folder.
    /// </summary>
    /// <exception cref="FormatException">Several are given and one has no name.</exception>
    public static IReadOnlyList<AlignedFolder> ParseAligned(IReadOnlyList<string> values) => values switch
    {
        [var only] when Split(only) is null => [new AlignedFolder(ServedNames.DefaultAligned, only)],
        _ => [.. values.Select(value => Split(value) ?? throw new FormatException(
            $"--aligned: '{value}' has no name; with several aligned models each needs one, as in --aligned helpful=FOLDER."))],
    };

    private static AlignedFolder? Split(string value)
    {
        var equals = value.IndexOf('=', StringComparison.Ordinal);
        return equals > 0 && equals < value.Length - 1 && ServedNames.IsName(value[..equals])
            ? new AlignedFolder(value[..equals], value[(equals + 1)..])
            : null;
    }

    private static PairFolders Default(string programFolder)
    {
        var folder = Path.Combine(programFolder, "models", "default");
        var (reference, aligned) = (Path.Combine(folder, "reference"), Path.Combine(folder, "aligned"));
        return Directory.Exists(reference) && Directory.Exists(aligned)
            ? new PairFolders(reference, [new AlignedFolder(ServedNames.DefaultAligned, aligned)])
            : throw new FormatException(
                $"There is no default pair: {folder} does not hold reference and aligned. Name a pair with --reference and --aligned.");
    }

    private static FormatException OneAlone(string given, string missing) => new(
        $"{given} is given without {missing}; a pair needs both. With neither, the default pair '{DefaultName}' is served.");
}
