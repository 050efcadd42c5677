using System.Text;
using System.Text.Json;

namespace DeRa.Cli.Score;

/// <summary>
/// A CSV file that grows line by line and outlives the run that began it: after an interruption the next run goes on behind the last
/// whole item. What the run is about lies in a file beside it until the last line is written.
/// </summary>
internal sealed class ScoreFile : IDisposable
{
    private static readonly JsonSerializerOptions s_indented = new() { WriteIndented = true };

    private readonly FileStream _file;
    private readonly string _aboutPath;

    private ScoreFile(FileStream file, string aboutPath, int done) => (_file, _aboutPath, DoneItems) = (file, aboutPath, done);

    /// <summary>Items that an earlier run has written.</summary>
    public int DoneItems { get; }

    /// <summary>Begins a file, or goes on with one that was interrupted.</summary>
    /// <param name="path">The CSV file.</param>
    /// <param name="header">Its first line.</param>
    /// <param name="linesOfItem">Lines of each item.</param>
    /// <param name="about">What all lines depend on, by name.</param>
    /// <param name="isNew">Whether what is there already is replaced.</param>
    /// <exception cref="FormatException">The file is whole, or another run's.</exception>
    public static ScoreFile Open(
        string path, string header, int linesOfItem, IReadOnlyDictionary<string, string> about, bool isNew)
    {
        var aboutPath = AboutPath(path);
        if (isNew) File.Delete(path);
        if (isNew || !File.Exists(path)) WriteAbout(aboutPath, about);
        else CheckSame(path, aboutPath, about);
        var file = new FileStream(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.Read);
        try
        {
            var (done, length) = WholeItems(file, header, linesOfItem);
            file.SetLength(length);
            file.Position = length;
            var scores = new ScoreFile(file, aboutPath, done);
            if (length == 0) scores.Add([header]);
            return scores;
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    /// <summary>Before anything is loaded for nothing: a file can be written there, and does not hold what is whole.</summary>
    /// <exception cref="FormatException">It cannot, or does.</exception>
    public static void Check(string path, bool isNew)
    {
        var folder = Path.GetDirectoryName(Path.GetFullPath(path));
        if (!Directory.Exists(folder)) throw new FormatException($"--output is {path}, but there is no folder {folder}.");
        if (!isNew && File.Exists(path) && !File.Exists(AboutPath(path)))
            throw new FormatException($"--output is {path}, which is there already; --force replaces it.");
    }

    /// <summary>Writes the lines of an item; they are safe from then on, whatever becomes of this process.</summary>
    public void Add(IEnumerable<string> lines)
    {
        _file.Write(Encoding.UTF8.GetBytes(string.Concat(lines.Select(line => line + "\n"))));
        _file.Flush();
    }

    /// <summary>Says that all lines are there.</summary>
    public void Complete() => File.Delete(_aboutPath);

    /// <inheritdoc/>
    public void Dispose() => _file.Dispose();

    private static string AboutPath(string path) => path + ".run.json";

    /// <summary>At once or not at all: half of it would stop the next run.</summary>
    private static void WriteAbout(string path, IReadOnlyDictionary<string, string> about)
    {
        File.WriteAllText(path + ".new", JsonSerializer.Serialize(about, s_indented) + "\n");
        File.Move(path + ".new", path, overwrite: true);
    }

    private static void CheckSame(string path, string aboutPath, IReadOnlyDictionary<string, string> about)
    {
        Dictionary<string, string> before;
        try
        {
            before = JsonSerializer.Deserialize<Dictionary<string, string>>(File.ReadAllText(aboutPath)) ?? [];
        }
        catch (JsonException)
        {
            throw new FormatException($"{aboutPath} cannot be read, so that {path} cannot go on; --force begins it anew.");
        }
        var different = about.Keys.Union(before.Keys)
            .FirstOrDefault(name => about.GetValueOrDefault(name) != before.GetValueOrDefault(name));
        if (different is { } other)
            throw new FormatException($"{path} was begun with another '{other}' ({before.GetValueOrDefault(other, "none")}, now "
                + $"{about.GetValueOrDefault(other, "none")}); the same command goes on with it, and --force begins it anew.");
    }

    /// <summary>Items all of whose lines are there, and the bytes up to the end of the last one.</summary>
    private static (int Items, long Length) WholeItems(FileStream file, string header, int linesOfItem)
    {
        var expected = Encoding.UTF8.GetBytes(header + "\n");
        var start = new byte[expected.Length];
        if (file.ReadAtLeast(start, start.Length, throwOnEndOfStream: false) < start.Length || !start.AsSpan().SequenceEqual(expected))
            return (0, 0);
        var (items, lines, length, position, piece) = (0, 0, file.Position, file.Position, new byte[1 << 16]);
        while (file.Read(piece) is > 0 and var read)
        {
            for (var i = 0; i < read; i++)
            {
                position++;
                if (piece[i] != '\n' || ++lines < linesOfItem) continue;
                (items, lines, length) = (items + 1, 0, position);
            }
        }
        return (items, length);
    }
}
