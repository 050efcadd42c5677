using System.CommandLine;
using System.Globalization;
using System.Reflection;
using System.Security.Cryptography;
using System.Text;
using DeRa.Serving.Rewards;
using DeRa.Serving.Sweeps;

namespace DeRa.Cli.Sweep;

/// <summary>What the rows of a sweep depend on, by name.</summary>
internal static class SweepAbout
{
    /// <summary>Lists it.</summary>
    /// <param name="parsed">The command line.</param>
    /// <param name="settings">What is generated.</param>
    /// <param name="rewards">What scores.</param>
    /// <param name="models">What generates.</param>
    public static Dictionary<string, string> Of(
        ParseResult parsed, SweepSettings settings, IReadOnlyList<RewardEntry> rewards, IReadOnlyList<KeyValuePair<string, string>> models)
    {
        using var prompts = File.OpenRead(parsed.GetRequiredValue(SweepOptions.Prompts));
        return new Dictionary<string, string>(models)
        {
            ["prompts"] = Convert.ToHexString(SHA256.HashData(prompts)),
            ["prompt field"] = parsed.GetValue(SweepOptions.PromptField) ?? "",
            ["chat"] = parsed.GetValue(SweepOptions.Chat) ? "yes" : "no",
            ["strengths"] = SweepOptions.Strengths(parsed, settings),
            ["samples"] = Text(settings.Samples),
            ["rewards"] = string.Join(", ", rewards.Select(Text)),
            ["max tokens"] = Text(settings.MaxTokens),
            ["temperature"] = Text(settings.Temperature),
            ["top p"] = Text(settings.TopP),
            ["seed"] = Text(settings.Seed),
            ["version"] = typeof(SweepAbout).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()!.InformationalVersion,
        };
    }

    private static string Text(RewardEntry reward) =>
        (reward.Name == reward.Specification ? reward.Name : $"{reward.Name} = {reward.Specification}")
        + (reward.Settings.Rubric is { } rubric
            ? $" by the rubric {Convert.ToHexString(SHA256.HashData(Encoding.UTF8.GetBytes(rubric)))}" : "");

    private static string Text(double number) => number.ToString("R", CultureInfo.InvariantCulture);
}
