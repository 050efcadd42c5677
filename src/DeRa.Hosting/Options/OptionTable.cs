using System.Collections;
using System.ComponentModel;
using System.Reflection;
using System.Text;

namespace DeRa.Hosting.Options;

/// <summary>
/// A program's options, in the order of their declaration: the properties of <typeparamref name="TOptions"/>, and of the groups that
/// it holds, that have a <see cref="DescriptionAttribute"/>. An option's name, its environment variable and its key in the
/// configuration file follow from the property's name; its default is the property's initial value.
/// </summary>
/// <typeparam name="TOptions">A record; its groups are records too, and none is null.</typeparam>
/// <param name="environmentPrefix">What the names of environment variables begin with, such as <c>DERA_</c>.</param>
/// <param name="instead">What to use instead of a name of another program's; null = nothing is known.</param>
public sealed class OptionTable<TOptions>(string environmentPrefix, Func<string, string?> instead) where TOptions : class, new()
{
    private readonly List<OptionEntry> _all = [.. Entries(environmentPrefix)];

    /// <summary>The options.</summary>
    public IReadOnlyList<OptionEntry> All => _all;

    /// <summary>
    /// Reads the options from all three sources: the command line goes before the environment, that before the file that the option
    /// <c>--config</c> names.
    /// </summary>
    /// <param name="arguments">The command line.</param>
    /// <param name="environment">Environment variables.</param>
    /// <param name="config">The file that options name; null = none.</param>
    /// <exception cref="OptionException">The first thing that is wrong.</exception>
    public TOptions Read(IReadOnlyList<string> arguments, IDictionary environment, Func<TOptions, string?> config)
    {
        var sources = new OptionSources(_all, environmentPrefix, instead);
        List<GivenOption> given = [.. sources.Environment(environment), .. sources.CommandLine(arguments)];
        var options = Apply(given);
        return config(options) is { } file ? Apply([.. sources.File(file), .. given]) : options;
    }

    /// <summary>The options as text, with their ranges and defaults.</summary>
    /// <param name="introduction">What stands before them.</param>
    public string Help(string introduction)
    {
        var defaults = new TOptions();
        var help = new StringBuilder(introduction);
        foreach (var entry in _all)
        {
            help.Append("  --").Append(entry.Name).Append(' ').AppendLine(entry.Placeholder);
            help.Append("      ").AppendLine(string.Join(' ', Sentences(entry, defaults)));
        }
        return help.ToString();
    }

    private static IEnumerable<OptionEntry> Entries(string environmentPrefix)
    {
        foreach (var property in typeof(TOptions).GetProperties())
            if (IsOption(property)) yield return new OptionEntry(null, property, environmentPrefix);
            else
                foreach (var grouped in property.PropertyType.GetProperties().Where(IsOption))
                    yield return new OptionEntry(property, grouped, environmentPrefix);
    }

    private static bool IsOption(PropertyInfo property) => property.IsDefined(typeof(DescriptionAttribute));

    private static TOptions Apply(List<GivenOption> given)
    {
        var options = new TOptions();
        foreach (var values in given.GroupBy(option => option.Entry))
        {
            var parsed = values.Select(value => (value.Origin, Value: values.Key.Parse(value.Text, value.Origin))).ToList();
            // A list's values all come from one source: the one that goes before the others.
            var last = parsed[^1];
            object value = values.Key.IsList
                ? parsed.Where(other => other.Origin == last.Origin).Select(other => (string)other.Value).ToList()
                : last.Value;
            values.Key.Set(options, value);
        }
        return options;
    }

    private static IEnumerable<string> Sentences(OptionEntry entry, TOptions defaults)
    {
        yield return entry.Description;
        if (entry.IsSecret) yield return $"Never on the command line: {entry.EnvironmentName} or the configuration file.";
        if (entry.Allowed.Length > 0) yield return $"Takes {entry.Allowed}.";
        if (entry.DefaultText(defaults) is { Length: > 0 } text) yield return $"Default: {text}.";
    }
}
