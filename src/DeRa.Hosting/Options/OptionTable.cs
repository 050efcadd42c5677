using System.Reflection;
using System.Text;
using DeRa.Server.Options;

namespace DeRa.Hosting.Options;

/// <summary>All options, in the order of their declaration.</summary>
internal static class OptionTable
{
    /// <summary>What the names of environment variables begin with.</summary>
    public const string EnvironmentPrefix = "DERA_";

    /// <summary>The rows.</summary>
    public static IReadOnlyList<OptionEntry> All { get; } =
    [
        .. from property in typeof(ServerOptions).GetProperties()
           let declared = property.GetCustomAttribute<OptionAttribute>()
           where declared is not null
           select new OptionEntry(property, declared),
    ];

    /// <summary>The row of that name, or null.</summary>
    /// <param name="name">As the configuration file spells it.</param>
    public static OptionEntry? Find(string name) => All.FirstOrDefault(entry => entry.Name == name);

    /// <summary>The table as text.</summary>
    public static string Help()
    {
        var defaults = new ServerOptions();
        var help = new StringBuilder("""
            DeRa: serves a reference model and an aligned model, mixed at the strength that each request asks for.

            usage: DeRa.Server [--reference MODEL --aligned MODEL] [options]

            Without a pair of one's own it serves the default pair, which comes with it, under the name stories.

            Each option may also be an environment variable (--http-port is DERA_HTTP_PORT) or a key of the JSON file that
            --config names ("http-port"). The command line goes before the environment, the environment before the file.


            """);
        foreach (var entry in All)
        {
            help.Append("  --").Append(entry.Name).Append(' ').AppendLine(entry.Placeholder);
            help.Append("      ").AppendLine(string.Join(' ', Sentences(entry, defaults)));
        }
        return help.ToString();
    }

    private static IEnumerable<string> Sentences(OptionEntry entry, ServerOptions defaults)
    {
        yield return entry.Declared.Help;
        if (entry.IsSecret) yield return $"Never on the command line: {entry.EnvironmentName} or the configuration file.";
        if (entry.Allowed.Length > 0) yield return $"Takes {entry.Allowed}.";
        if (entry.DefaultText(defaults) is { Length: > 0 } text) yield return $"Default: {text}.";
    }
}
