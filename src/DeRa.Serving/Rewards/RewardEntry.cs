using System.Text.Json;

namespace DeRa.Serving.Rewards;

/// <summary>One reward of a file of rewards.</summary>
/// <param name="Name">By which requests and command lines ask for it.</param>
/// <param name="Specification">What it is, as <see cref="RewardSpec"/> reads it.</param>
/// <param name="Settings">What it is made with, but for the pair.</param>
public sealed record RewardEntry(string Name, string Specification, RewardSettings Settings)
{
    /// <summary>Rewards of a file at most.</summary>
    public const int MaxEntries = 64;

    private const int MaxNameLength = 64, MaxTimeoutSeconds = 3600, MaxConcurrency = 256;

    /// <summary>A client waits for it, so that a reply may take less time than elsewhere.</summary>
    private static readonly RewardSettings Defaults = new() { Timeout = TimeSpan.FromSeconds(60) };

    /// <summary>
    /// Reads a JSON file: an object of names, each with a specification or with
    /// {"reward", "rubric", "rubric_file", "timeout_seconds", "concurrency", "cache", "key_env"}.
    /// </summary>
    /// <param name="path">The file.</param>
    /// <exception cref="RewardException">It cannot be read; the message names the file and the reward.</exception>
    public static IReadOnlyList<RewardEntry> ReadFile(string path)
    {
        try
        {
            var json = JsonElement.Parse(File.ReadAllBytes(path));
            if (json.ValueKind != JsonValueKind.Object) throw Wrong(path, "must hold an object of rewards by name");
            RewardEntry[] entries = [.. json.EnumerateObject().Select(property => Read(path, property))];
            if (entries.Length is 0 or > MaxEntries) throw Wrong(path, $"has {entries.Length} rewards; it must have 1 to {MaxEntries}");
            return entries.GroupBy(entry => entry.Name).FirstOrDefault(group => group.Count() > 1) is { } twice
                ? throw Wrong(path, $"has two rewards named '{twice.Key}'") : entries;
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException or JsonException)
        {
            throw new RewardException($"rewards: {path}: {exception.Message}", exception);
        }
    }

    /// <summary>The reward that a command line names: one of a file, else what the text specifies.</summary>
    /// <param name="text">A name or a specification.</param>
    /// <param name="entries">The file's; empty = there is no file.</param>
    public static RewardEntry Choose(string text, IReadOnlyList<RewardEntry> entries) =>
        entries.FirstOrDefault(entry => entry.Name == text) ?? new RewardEntry(text, text, new RewardSettings());

    private static RewardEntry Read(string path, JsonProperty property)
    {
        var (name, value) = (property.Name, property.Value);
        if (name.Length is 0 or > MaxNameLength || !name.All(c => char.IsAsciiLetterOrDigit(c) || c is '.' or '_' or '-'))
            throw Wrong(path, $"'{name}' is no name for a reward; it must have 1 to {MaxNameLength} letters, digits, '.', '_' or '-'");
        if (value.ValueKind == JsonValueKind.String) return new RewardEntry(name, value.GetString()!, Defaults);
        if (value.ValueKind != JsonValueKind.Object) throw Wrong(path, $"'{name}' must be a specification or an object with 'reward'");
        var entry = value.EnumerateObject().Aggregate(new RewardEntry(name, "", Defaults), (entry, field) => entry.With(path, field));
        return entry.Specification.Length > 0 ? entry : throw Wrong(path, $"'{name}.reward' is missing: a specification");
    }

    private RewardEntry With(string path, JsonProperty field) => field.Name switch
    {
        "reward" => this with { Specification = Text(path, field) },
        "rubric" => this with { Settings = Settings with { Rubric = Text(path, field) } },
        "rubric_file" => this with { Settings = Settings with { Rubric = File.ReadAllText(Beside(path, field)) } },
        "concurrency" => this with { Settings = Settings with { Concurrency = Count(path, field) } },
        "cache" => this with { Settings = Settings with { CacheFolder = Text(path, field) } },
        "key_env" => this with
        {
            Settings = Settings with
            {
                ApiKey = Environment.GetEnvironmentVariable(Text(path, field))
                    ?? throw Wrong(path, $"'{Name}.key_env' names the environment variable '{Text(path, field)}', which is not set"),
            },
        },
        "timeout_seconds" => this with { Settings = Settings with { Timeout = Seconds(path, field) } },
        var other => throw Wrong(path, $"'{Name}.{other}' is not known; reward, rubric, rubric_file, timeout_seconds, concurrency, cache "
            + "and key_env are"),
    };

    private string Text(string path, JsonProperty field) =>
        field.Value.ValueKind == JsonValueKind.String && field.Value.GetString() is { Length: > 0 } text ? text
            : throw Wrong(path, $"'{Name}.{field.Name}' must be a text, not empty");

    private string Beside(string path, JsonProperty field) =>
        Path.Combine(Path.GetDirectoryName(Path.GetFullPath(path))!, Text(path, field));

    private int Count(string path, JsonProperty field) =>
        ScoreLine.Number(field.Value) is { } count and >= 1 and <= MaxConcurrency && count == Math.Floor(count) ? (int)count
            : throw Wrong(path, $"'{Name}.{field.Name}' must be a whole number from 1 to {MaxConcurrency}");

    private TimeSpan Seconds(string path, JsonProperty field) =>
        ScoreLine.Number(field.Value) is { } seconds and > 0 and <= MaxTimeoutSeconds ? TimeSpan.FromSeconds(seconds)
            : throw Wrong(path, $"'{Name}.{field.Name}' must be a number above 0, at most {MaxTimeoutSeconds}");

    private static RewardException Wrong(string path, string what) => new($"rewards: {path}: {what}");
}
