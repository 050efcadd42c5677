using System.CommandLine;
using System.Diagnostics;
using System.Globalization;
using System.Text;
using DeRa.Text;
using DeRa.Text.Loading;

namespace DeRa.Benchmarks;

/// <summary>
/// Encodes 100,000 and 1,000,000 characters of texts that tokenizers find hard, and prints the seconds and their ratio: 10
/// where time grows with length.
/// </summary>
internal static class TokenizerBenchmark
{
    private const int Short = 100_000, Long = 1_000_000;

    private static readonly Argument<string[]> s_folders = new("FOLDER")
    {
        Description = "Folders of models",
        Arity = ArgumentArity.OneOrMore,
    };

    public static Command Create()
    {
        var command = new Command("tokenizer", "How long texts take that tokenizers find hard.") { s_folders };
        command.SetAction(parsed =>
        {
            foreach (var folder in parsed.GetRequiredValue(s_folders)) Run(folder, parsed.InvocationConfiguration.Output);
        });
        return command;
    }

    private static void Run(string folder, TextWriter output)
    {
        var tokenizer = TokenizerLoader.Load(folder);
        output.WriteLine($"{Path.GetFileName(Path.TrimEndingDirectorySeparator(folder))}, {tokenizer.VocabularySize} tokens");
        tokenizer.Encode("The first text pays for compiling. 123\n");
        foreach (var (name, make) in Texts(tokenizer))
        {
            var (few, many) = (Seconds(tokenizer, make(Short)), Seconds(tokenizer, make(Long)));
            output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"  {name,-18}{few,8:F3} s{many,8:F2} s{many / few,7:F1}x"));
        }
    }

    private static double Seconds(ITokenizer tokenizer, string text)
    {
        var started = Stopwatch.GetTimestamp();
        tokenizer.Encode(text, addSpecialTokens: true, parseSpecialTokens: true);
        return Stopwatch.GetElapsedTime(started).TotalSeconds;
    }

    private static IEnumerable<(string Name, Func<int, string> Make)> Texts(ITokenizer tokenizer)
    {
        var special = Enumerable.Range(0, tokenizer.VocabularySize).Where(tokenizer.IsSpecial).Select(tokenizer.GetToken)
            .OfType<string>().Append("<s>").MaxBy(token => token.Length)!;
        yield return ("prose", Repeat("The quick brown fox said: it's 12345 o'clock.\n"));
        yield return ("one letter", Repeat("a"));
        yield return ("random letters", Random(random => (char)('a' + random.Next(26))));
        yield return ("spaces, then one", length => Repeat(" ")(length) + "\u65E5");
        yield return ("line ends", Repeat("\n"));
        yield return ("digits", Random(random => (char)('0' + random.Next(10))));
        yield return ("Chinese", Random(random => (char)(0x4E00 + random.Next(0x5000))));
        yield return ("emoji", Repeat("\U0001F44D\U0001F3FD\U0001F468\u200D\U0001F469"));
        yield return ("combining marks", Repeat("\u0301\u0327"));
        yield return ("word marks", Repeat("\u2581"));
        yield return ("<", Repeat("<"));
        yield return ("control tokens", Repeat(special));
        yield return ("their beginnings", Repeat(special[..^1]));
    }

    private static Func<int, string> Repeat(string part) =>
        length => new StringBuilder(length).Insert(0, part, length / part.Length).ToString();

    private static Func<int, string> Random(Func<Random, char> draw) => length =>
    {
        var random = new Random(1);
        return string.Create(length, 0, (span, _) =>
        {
            for (var i = 0; i < span.Length; i++) span[i] = draw(random);
        });
    };
}
