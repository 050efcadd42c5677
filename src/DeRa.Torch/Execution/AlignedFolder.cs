using DeRa.Engine.Requests;

namespace DeRa.Torch.Execution;

/// <summary>One aligned model of a pair.</summary>
/// <param name="Name">Its name, by which requests may give it a strength (see <see cref="ServedNames"/>).</param>
/// <param name="Path">A Hugging Face model folder.</param>
public sealed record AlignedFolder(string Name, string Path)
{
    /// <summary>
    /// Reads the values of <c>--aligned</c>: <c>NAME=FOLDER</c> each, or one folder alone, which is then named
    /// <see cref="ServedNames.DefaultAligned"/>. What stands before '=' and is no name (a path) belongs to the folder.
    /// </summary>
    /// <exception cref="FormatException">Several are given and one has no name.</exception>
    public static IReadOnlyList<AlignedFolder> Parse(IReadOnlyList<string> values) => values switch
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
}
