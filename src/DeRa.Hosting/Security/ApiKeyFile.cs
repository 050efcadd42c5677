using System.Globalization;
using System.Text;

namespace DeRa.Hosting.Security;

/// <summary>
/// Reads a file of keys, one a line: <c>NAME HASH [rate=N/min] [concurrent=N]</c>. Blank lines and lines that begin with
/// <c>#</c> are passed over. No complaint repeats what a line holds: somebody may have put the key itself there.
/// </summary>
internal static class ApiKeyFile
{
    private const string Form = "a line is NAME sha256$HASH, then rate=N/min and concurrent=N where wanted ('dera key NAME' prints one)";

    /// <summary>Reads the keys.</summary>
    /// <param name="content">The file's content.</param>
    /// <param name="path">The file, for errors.</param>
    /// <exception cref="FormatException">A line is malformed or repeats another's name or key, or there is none.</exception>
    public static IReadOnlyList<ApiKey> Parse(byte[] content, string path)
    {
        var keys = new List<ApiKey>();
        var lines = Encoding.UTF8.GetString(content).Split('\n');
        for (var i = 0; i < lines.Length; i++)
        {
            // Blank is what has no words: white space of any kind (U+00A0, a form feed) parts words too.
            var words = lines[i].Trim('\uFEFF').Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries);
            if (words.Length == 0 || words[0][0] == '#') continue;
            var key = ParseLine(words) is var (read, fault) && read is not null
                ? read : throw new FormatException($"{path} (--api-keys), line {i + 1}: {fault}");
            if (keys.Any(other => other.Name == key.Name))
                throw new FormatException($"{path} (--api-keys), line {i + 1}: the name '{key.Name}' is there already.");
            if (keys.Find(other => other.Hash.AsSpan().SequenceEqual(key.Hash)) is { } same)
                throw new FormatException($"{path} (--api-keys), line {i + 1}: '{key.Name}' has the same key as '{same.Name}'.");
            keys.Add(key);
        }
        return keys.Count > 0 ? keys : throw new FormatException($"{path} (--api-keys) holds no key; {Form}.");
    }

    private static (ApiKey? Key, string Fault) ParseLine(string[] words)
    {
        if (!KeyHash.IsName(words[0])) return (null, "the name must be 1 to 64 letters, digits, '.', '_' or '-'.");
        if (words.Length < 2 || KeyHash.Parse(words[1]) is not { } hash) return (null, $"no hash after the name; {Form}.");
        var key = new ApiKey(words[0], hash);
        foreach (var word in words.AsSpan(2))
        {
            if (Number(word, "rate=", "/min") is { } rate && key.RequestsPerMinute is null) key = key with { RequestsPerMinute = rate };
            else if (Number(word, "concurrent=", "") is { } most && key.ConcurrentRequests is null)
                key = key with { ConcurrentRequests = most };
            else return (null, $"after the hash may come rate=N/min and concurrent=N, each once, N from 1 to {RequestLimiting.MaxLimit}.");
        }
        return (key, "");
    }

    private static int? Number(string word, string before, string after) =>
        word.StartsWith(before, StringComparison.Ordinal) && word.EndsWith(after, StringComparison.Ordinal)
        && word.Length > before.Length + after.Length
        && int.TryParse(word.AsSpan(before.Length, word.Length - before.Length - after.Length),
            NumberStyles.None, CultureInfo.InvariantCulture, out var number)
        && number is >= 1 and <= RequestLimiting.MaxLimit ? number : null;
}
