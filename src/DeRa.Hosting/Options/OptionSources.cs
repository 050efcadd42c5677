using System.Collections;
using System.Text.Json;
using System.Text.RegularExpressions;

namespace DeRa.Hosting.Options;

/// <summary>A value as it was given.</summary>
/// <param name="Entry">Which option.</param>
/// <param name="Text">Its value.</param>
/// <param name="Origin">Where it was given, for errors.</param>
internal readonly record struct GivenOption(OptionEntry Entry, string Text, string Origin);

/// <summary>The three places in which options are given, each turned into the same list.</summary>
/// <param name="all">The options.</param>
/// <param name="environmentPrefix">What the names of environment variables begin with.</param>
/// <param name="instead">What to use instead of a name of another program's; null = nothing is known.</param>
internal sealed partial class OptionSources(IReadOnlyList<OptionEntry> all, string environmentPrefix, Func<string, string?> instead)
{
    /// <summary>Reads <c>--name value</c> and <c>--name=value</c>.</summary>
    /// <exception cref="OptionException">An unknown option, one without a value, or one given twice.</exception>
    public List<GivenOption> CommandLine(IReadOnlyList<string> arguments)
    {
        var given = new List<GivenOption>();
        for (var i = 0; i < arguments.Count; i++)
        {
            var (name, value) = Split(arguments[i]);
            var entry = Find(name) ?? throw Unknown("--" + name, name);
            if (entry.IsSecret) throw Exposed(entry);
            value ??= i + 1 < arguments.Count && !arguments[i + 1].StartsWith("--", StringComparison.Ordinal)
                ? arguments[++i] : throw new OptionException($"--{name} needs a value: --{name} {entry.Placeholder}.");
            if (!entry.IsList && given.Any(other => other.Entry == entry)) throw new OptionException($"--{name} is given twice.");
            given.Add(new GivenOption(entry, value, "command line"));
        }
        return given;
    }

    /// <summary>
    /// Reads the variables whose names begin with the prefix; commas separate an option's several values.
    /// </summary>
    /// <exception cref="OptionException">Such a variable names no option.</exception>
    public List<GivenOption> Environment(IDictionary variables)
    {
        var given = new List<GivenOption>();
        foreach (DictionaryEntry variable in variables)
        {
            var name = (string)variable.Key;
            if (!name.StartsWith(environmentPrefix, StringComparison.Ordinal)) continue;
            var entry = all.FirstOrDefault(entry => entry.EnvironmentName == name);
            var value = (string?)variable.Value ?? "";
            if (entry is null && IsServiceLink(name, value)) continue;
            if (entry is null) throw Unknown($"The environment variable {name}", OptionName(name));
            foreach (var text in entry.IsList ? value.Split(',') : [value])
                given.Add(new GivenOption(entry, text, $"environment variable {name}"));
        }
        return given;
    }

    /// <summary>Reads a JSON object whose keys are option names; an option that takes several values may have a list of them.</summary>
    /// <exception cref="OptionException">The file cannot be read, is no such object, or a key names no option.</exception>
    public List<GivenOption> File(string path)
    {
        try
        {
            using var document = JsonDocument.Parse(new OptionFile("config", path).Read(), FileFormat);
            if (document.RootElement.ValueKind != JsonValueKind.Object)
                throw new OptionException($"{path} (--config) must hold one JSON object.");
            return [.. document.RootElement.EnumerateObject().SelectMany(property => FileEntries(property, path))];
        }
        catch (JsonException fault)
        {
            // The parser's own message may repeat a value, and that may be a secret.
            throw new OptionException($"{path} (--config) is not valid JSON at line {fault.LineNumber + 1}, "
                + $"byte {fault.BytePositionInLine + 1}; each option may stand in it once.");
        }
        catch (InvalidOperationException)
        {
            throw new OptionException($"{path} (--config) holds text that is not Unicode.");
        }
        catch (FormatException unreadable)
        {
            throw new OptionException(unreadable.Message);
        }
    }

    private OptionEntry? Find(string name) => all.FirstOrDefault(entry => entry.Name == name);

    private static readonly JsonDocumentOptions FileFormat = new()
    {
        AllowDuplicateProperties = false,
        AllowTrailingCommas = true,
        CommentHandling = JsonCommentHandling.Skip,
    };

    private List<GivenOption> FileEntries(JsonProperty property, string path)
    {
        var entry = Find(property.Name) ?? throw Unknown($"{path}: '{property.Name}'", property.Name);
        IEnumerable<JsonElement> values =
            entry.IsList && property.Value.ValueKind == JsonValueKind.Array ? property.Value.EnumerateArray() : [property.Value];
        return values.Select(value => new GivenOption(entry, value.ValueKind switch
        {
            JsonValueKind.String => value.GetString()!,
            JsonValueKind.Number or JsonValueKind.True or JsonValueKind.False => value.GetRawText(),
            _ => throw new OptionException(
                $"{path}: '{property.Name}' must be a string{(entry.IsList ? " or a list of strings" : ", a number, true or false")}."),
        }, path)).ToList();
    }

    private (string Name, string? Value) Split(string argument)
    {
        if (!argument.StartsWith("--", StringComparison.Ordinal)) throw NoOption(argument);
        var equals = argument.IndexOf('=', StringComparison.Ordinal);
        return equals < 0 ? (argument[2..], null) : (argument[2..equals], argument[(equals + 1)..]);
    }

    private string OptionName(string variable) =>
        variable[environmentPrefix.Length..].ToLowerInvariant().Replace('_', '-');

    private static OptionException Exposed(OptionEntry entry) => new(
        $"--{entry.Name} cannot be given on the command line, which other users of the machine can read; " +
        $"set the environment variable {entry.EnvironmentName}, or \"{entry.Name}\" in the file that --config names.");

    private OptionException NoOption(string argument) =>
        new($"'{argument}' is not an option{(argument.StartsWith('-') ? Hint(argument[1..]) : "")}; options begin with -- (see --help).");

    private OptionException Unknown(string what, string name) => new($"{what} is not an option{Hint(name)} (see --help).");

    private string Hint(string name)
    {
        // Another server's name for an option is not a misspelling.
        if (instead(name) is { } ours) return $": {ours}";
        return NearestName.Find(name, all.Select(entry => entry.Name)) is { } near ? $"; is --{near} meant?" : "";
    }

    /// <summary>A service's own port is an address there; a number is somebody's who means an option.</summary>
    private bool IsServiceLink(string name, string value) =>
        ServiceLink().IsMatch(name[environmentPrefix.Length..]) && (name != environmentPrefix + "PORT" || !ushort.TryParse(value, out _));

    /// <summary>What Kubernetes and Docker set by themselves in a container that lives beside a service of the prefix's name.</summary>
    [GeneratedRegex(@"^(.*_)?(SERVICE_(HOST|PORT(_.*)?)|PORT(_\d+_.*)?)$")]
    private static partial Regex ServiceLink();
}
