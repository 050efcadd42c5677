using System.CommandLine;
using System.Globalization;
using DeRa.Benchmarks.Pairs;
using DeRa.Cli.Arguments;
using DeRa.Serving;

namespace DeRa.Benchmarks;

/// <summary>
/// <c>first-token</c>: how long the first token takes after a long prompt, and after another one that begins alike and ends otherwise.
/// </summary>
internal static class FirstTokenBenchmark
{
    /// <summary>Tokens after the shared ones, other ones in each prompt.</summary>
    private const int OwnTokens = 16;

    private static readonly BenchmarkPairArguments s_pair = new();

    private static readonly Option<int> s_tokens = WholeNumberOption.Create(
        "--tokens", "Tokens with which the prompts begin alike", 1000, 1, 1 << 20);

    private static readonly Option<int> s_rounds = WholeNumberOption.Create(
        "--requests", "How many prompts are followed by one that begins alike; medians are shown", 5, 1, 1000);

    public static Command Create()
    {
        var command = new Command("first-token", "The time to the first token of a prompt that begins like the last one.")
        {
            s_tokens, s_rounds,
        };
        s_pair.AddTo(command);
        command.SetAction(RunAsync);
        return command;
    }

    private static async Task RunAsync(ParseResult parsed, CancellationToken cancellation)
    {
        var (tokens, output) = (parsed.GetValue(s_tokens), parsed.InvocationConfiguration);
        var pair = await s_pair.LoadAsync(parsed, cancellation);
        using var engine = pair.Engine;
        var most = engine.Limits.ContextTokens - OwnTokens - 1;
        if (tokens > most) throw new ArgumentException($"--tokens is {tokens}; it must be from 1 to {most} for this pair's context.");
        var random = new Random(1);
        var (first, alike) = (new List<Measured>(), new List<Measured>());
        // The first round pays for compiling.
        for (var round = 0; round <= parsed.GetValue(s_rounds); round++)
        {
            var shared = pair.RandomTokens(random, tokens);
            var one = await MeasureAsync(pair, shared, random, cancellation);
            var other = await MeasureAsync(pair, shared, random, cancellation);
            output.Error.WriteLine(string.Create(CultureInfo.InvariantCulture,
                $"{(round == 0 ? "warm-up" : $"round {round}")}: {one.Seconds:F3} s, then {other.Seconds:F3} s"));
            if (round == 0) continue;
            first.Add(one);
            alike.Add(other);
        }
        Write(output.Output, tokens, Median(first), Median(alike));
    }

    private static void Write(TextWriter output, int tokens, Measured first, Measured alike)
    {
        Line($"prompts of {tokens + OwnTokens} tokens, strength {PairRequests.Strength}; medians");
        Line($"                        first token   tokens not computed again");
        Line($"begins unlike others   {first.Seconds,10:F3} s{first.CachedTokens,28}");
        Line($"begins like the last   {alike.Seconds,10:F3} s{alike.CachedTokens,28}");
        Line($"ratio                  {alike.Seconds / first.Seconds,10:F3}");

        void Line(FormattableString text) => output.WriteLine(FormattableString.Invariant(text));
    }

    private static async Task<Measured> MeasureAsync(ServedPair pair, int[] shared, Random random, CancellationToken cancellation)
    {
        int[] prompt = [.. shared, .. pair.RandomTokens(random, OwnTokens)];
        var sequence = pair.Engine.Submit([PairRequests.Request(prompt, maxTokens: 1)])[0];
        await sequence.ReadAsync(cancellation);
        return new Measured(pair.FirstTokenSeconds(sequence), sequence.CachedTokens);
    }

    private static Measured Median(List<Measured> values) => values.OrderBy(value => value.Seconds).ElementAt(values.Count / 2);

    /// <param name="Seconds">From the submission to the first token.</param>
    /// <param name="CachedTokens">Tokens of the prompt that no model ran again.</param>
    private sealed record Measured(double Seconds, int CachedTokens);
}
