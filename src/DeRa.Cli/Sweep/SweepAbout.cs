using System.CommandLine;
using System.Globalization;
using System.Reflection;
using System.Security.Cryptography;
using DeRa.Cli.Score;
using DeRa.Serving;
using DeRa.Serving.Loading;
using DeRa.Serving.Sweeps;

namespace DeRa.Cli.Sweep;

/// <summary>What the rows of a sweep depend on, by name.</summary>
internal static class SweepAbout
{
    /// <summary>Lists it.</summary>
    public static Dictionary<string, string> Of(ParseResult parsed, SweepSettings settings, ServedPair pair, ServedPairOptions options)
    {
        var about = Of(parsed, settings);
        foreach (var (name, value) in PairAbout.Of(pair, options)) about[name] = value;
        return about;
    }

    private static Dictionary<string, string> Of(ParseResult parsed, SweepSettings settings)
    {
        using var prompts = File.OpenRead(parsed.GetRequiredValue(SweepOptions.Prompts));
        return new Dictionary<string, string>
        {
            ["prompts"] = Convert.ToHexString(SHA256.HashData(prompts)),
            ["prompt field"] = parsed.GetValue(SweepOptions.PromptField) ?? "",
            ["chat"] = parsed.GetValue(SweepOptions.Chat) ? "yes" : "no",
            ["strengths"] = string.Join(',', settings.Strengths.Select(Text)),
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
