using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace DeRa.Serving.Sweeps;

/// <summary>
/// The folder of a sweep: settings.json says what its results depend on, and results.jsonl grows unit by unit. After an interruption
/// the next run goes on behind the last whole unit.
/// </summary>
public sealed class SweepFolder : IDisposable
{
    private static readonly JsonSerializerOptions s_indented = new()
    {
        WriteIndented = true,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

    private readonly FileStream _results;
    private readonly string _path;

    private SweepFolder(string path, FileStream results) => (_path, _results) = (path, results);

    /// <summary>Opens a folder, which is made where it is missing.</summary>
    /// <param name="path">The folder.</param>
    /// <param name="settings">What all rows depend on, by name.</param>
    /// <param name="isNew">Whether results that are there are replaced.</param>
    /// <exception cref="FormatException">It holds another run's results, or another program writes there.</exception>
    public static SweepFolder Open(string path, IReadOnlyDictionary<string, string> settings, bool isNew)
    {
        Directory.CreateDirectory(path);
        var (about, rows) = (Path.Combine(path, "settings.json"), Path.Combine(path, "results.jsonl"));
        var results = Lock(rows);
        try
        {
            if (isNew) results.SetLength(0);
            // Settings without rows bind nobody; they are written before the first row.
            if (results.Length == 0) Replace(about, JsonSerializer.Serialize(settings, s_indented) + "\n");
            else CheckSame(path, about, settings);
            results.SetLength(LineEnds(results).LastOrDefault());
            results.Seek(0, SeekOrigin.End);
            return new SweepFolder(path, results);
        }
        catch
        {
            results.Dispose();
            throw;
        }
    }

    /// <summary>Writes the rows of a unit; they are safe from then on, whatever becomes of this process.</summary>
    public void Add(IEnumerable<string> rows)
    {
        _results.Write(Encoding.UTF8.GetBytes(string.Concat(rows.Select(row => row + "\n"))));
        _results.Flush();
    }

    /// <summary>All rows.</summary>
    /// <param name="rewards">The rewards' names.</param>
    /// <exception cref="FormatException">A line is no row.</exception>
    public IReadOnlyList<SweepRow> Read(IReadOnlyList<string> rewards)
    {
        _results.Position = 0;
        using var reader = new StreamReader(_results, leaveOpen: true);
        var rows = new List<SweepRow>();
        while (reader.ReadLine() is { } line) rows.Add(SweepRow.Parse(line, rewards));
        return rows;
    }

    /// <summary>Keeps the first rows only, such as those of whole units; the next go behind them.</summary>
    public void Keep(int rows)
    {
        _results.Position = 0;
        var end = rows == 0 ? 0 : LineEnds(_results).ElementAt(rows - 1);
        _results.SetLength(end);
        _results.Position = end;
    }

    /// <summary>Writes another file of the folder, whole or not at all.</summary>
    /// <param name="name">Its name; folders in it are made.</param>
    /// <param name="text">What it holds.</param>
    /// <returns>Its path.</returns>
    public string Write(string name, string text)
    {
        var file = Path.Combine(_path, name);
        Directory.CreateDirectory(Path.GetDirectoryName(file)!);
        Replace(file, text);
        return file;
    }

    /// <inheritdoc cref="Write"/>
    /// <param name="name">Its name.</param>
    /// <param name="write">Writes what it holds.</param>
    public async Task<string> WriteAsync(string name, Func<Stream, Task> write)
    {
        var file = Path.Combine(_path, name);
        await using (var target = File.Create(file + ".new")) await write(target);
        File.Move(file + ".new", file, overwrite: true);
        return file;
    }

    /// <inheritdoc/>
    public void Dispose() => _results.Dispose();

    private static FileStream Lock(string path)
    {
        try
        {
            return new FileStream(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.Read);
        }
        catch (IOException) when (File.Exists(path))
        {
            throw new FormatException($"{path} is in use: another sweep writes there.");
        }
    }

    private static void Replace(string path, string text)
    {
        File.WriteAllText(path + ".new", text);
        File.Move(path + ".new", path, overwrite: true);
    }

    private static void CheckSame(string path, string about, IReadOnlyDictionary<string, string> settings)
    {
        Dictionary<string, string> before;
        try
        {
            before = JsonSerializer.Deserialize<Dictionary<string, string>>(File.ReadAllText(about)) ?? [];
        }
        catch (Exception wrong) when (wrong is JsonException or FileNotFoundException)
        {
            throw new FormatException($"{about} cannot be read, so that {path} cannot go on; --force begins it anew.", wrong);
        }
        if (settings.Keys.Union(before.Keys).FirstOrDefault(name => settings.GetValueOrDefault(name) != before.GetValueOrDefault(name))
            is { } other)
            throw new FormatException($"{path} was begun with another '{other}' ({before.GetValueOrDefault(other, "none")}, now "
                + $"{settings.GetValueOrDefault(other, "none")}); the same command goes on with it, and --force begins it anew.");
    }

    /// <summary>The places behind the ends of lines.</summary>
    private static IEnumerable<long> LineEnds(FileStream file)
    {
        var (piece, position) = (new byte[1 << 16], 0L);
        while (file.Read(piece) is > 0 and var read)
            for (var i = 0; i < read; i++)
            {
                position++;
                if (piece[i] == '\n') yield return position;
            }
    }
}
