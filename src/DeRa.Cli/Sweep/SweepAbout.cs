using System.CommandLine;
using System.Globalization;
using System.Reflection;
using System.Security.Cryptography;
using DeRa.Serving.Sweeps;

namespace DeRa.Cli.Sweep;

/// <summary>What the rows of a sweep depend on, by name.</summary>
internal static class SweepAbout
{
    /// <summary>Lists it.</summary>
    /// <param name="parsed">The command line.</param>
    /// <param name="settings">What is generated.</param>
    /// <param name="models">What generates.</param>
    public static Dictionary<string, string> Of(
        ParseResult parsed, SweepSettings settings, IReadOnlyList<KeyValuePair<string, string>> models)
    {
        using var prompts = File.OpenRead(parsed.GetRequiredValue(SweepOptions.Prompts));
        return new Dictionary<string, string>(models)
        {
            ["prompts"] = Convert.ToHexString(SHA256.HashData(prompts)),
            ["prompt field"] = parsed.GetValue(SweepOptions.PromptField) ?? "",
            ["chat"] = parsed.GetValue(SweepOptions.Chat) ? "yes" : "no",
            ["strengths"] = SweepOptions.Strengths(parsed, settings),
            ["samples"] = Text(settings.Samples),
            ["rewards"] = string.Join(", ", parsed.GetRequiredValue(SweepOptions.Rewards)),
            ["max tokens"] = Text(settings.MaxTokens),
            ["temperature"] = Text(settings.Temperature),
            ["top p"] = Text(settings.TopP),
            ["seed"] = Text(settings.Seed),
            ["version"] = typeof(SweepAbout).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()!.InformationalVersion,
        };
    }

    private static string Text(double number) => number.ToString("R", CultureInfo.InvariantCulture);
}
