using System.Globalization;

namespace DeRa.Cli.Chat;

/// <summary>What lines that begin with a slash do to a chat's settings.</summary>
internal static class ChatLines
{
    /// <summary>What may be typed.</summary>
    public static IReadOnlyList<(string Line, string Meaning)> Help { get; } =
    [
        ("/strength 1.5", "answers at λ = 1.5 from now on; alone: tells λ"),
        ("/seed 7", "the same draws for every answer; alone: random ones again"),
        ("/system TEXT", "what the conversation begins with; alone: nothing"),
        ("/clear", "forgets the conversation"),
        ("/help", "this"),
        ("/quit", "ends, as Ctrl+D does"),
    ];

    /// <summary>Applies a line that sets something.</summary>
    /// <param name="settings">The settings so far.</param>
    /// <param name="line">The line, with its slash.</param>
    /// <returns>The settings, and what to say of them.</returns>
    /// <exception cref="FormatException">No such line, or a value is no number.</exception>
    public static (ChatSettings Settings, string Said) Apply(ChatSettings settings, string line)
    {
        var (word, rest) = line.Split(' ', 2, StringSplitOptions.TrimEntries) is [var first, var more] ? (first, more) : (line, "");
        switch (word)
        {
            case "/strength" when rest.Length == 0:
                return (settings, $"λ = {Text(settings.Strength)}");
            case "/strength":
                var strength = double.TryParse(rest, NumberStyles.Float, CultureInfo.InvariantCulture, out var number) ? number
                    : throw new FormatException($"/strength is '{rest}'; it must be a number, such as /strength 1.5.");
                return (settings with { Strength = strength }, $"λ = {Text(strength)}");
            case "/seed" when rest.Length == 0:
                return (settings with { Seed = null }, "random seeds");
            case "/seed":
                var seed = long.TryParse(rest, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var whole) ? whole
                    : throw new FormatException($"/seed is '{rest}'; it must be a whole number, or nothing for random ones.");
                return (settings with { Seed = seed }, string.Create(CultureInfo.InvariantCulture, $"seed {seed}"));
            case "/system":
                return rest.Length == 0 ? (settings with { System = null }, "no system message")
                    : (settings with { System = rest }, "system message set");
            default:
                throw new FormatException($"'{word}' is not known; /help tells what is. A message may not begin with a slash.");
        }
    }

    private static string Text(double? strength) => strength?.ToString(CultureInfo.InvariantCulture) ?? "the model's default";
}
