using System.CommandLine;
using System.Globalization;
using DeRa.Benchmarks.Pairs;
using DeRa.Cli.Arguments;
using DeRa.Engine.Requests;
using DeRa.Serving;

namespace DeRa.Benchmarks;

/// <summary>
/// <c>waiting</c>: how long a client with one short request waits for its first token while another client's many long sequences run, and
/// how long it waits alone.
/// </summary>
internal static class WaitingBenchmark
{
    private const int Rounds = 3, PromptTokens = 8, ShortTokens = 8;

    /// <summary>When the short request comes: so many tokens after the first of the long sequences began.</summary>
    private const int Lead = 20;

    private static readonly BenchmarkPairArguments s_pair = new();

    private static readonly Option<int> s_sequences = WholeNumberOption.Create(
        "--sequences", "Sequences of the client that asks for many", 64, 1, 1024);

    private static readonly Option<int> s_tokens = WholeNumberOption.Create(
        "--tokens", "Tokens that each of them generates", 500, Lead + 1, 1 << 20);

    public static Command Create()
    {
        var command = new Command("waiting", "How long one client's short request waits beside another client's many long ones.")
        {
            s_sequences, s_tokens,
        };
        s_pair.AddTo(command);
        command.SetAction(RunAsync);
        return command;
    }

    private static async Task RunAsync(ParseResult parsed, CancellationToken cancellation)
    {
        var (sequences, tokens, output) = (parsed.GetValue(s_sequences), parsed.GetValue(s_tokens), parsed.InvocationConfiguration.Output);
        using var steps = new StepClock();
        var pair = await s_pair.LoadAsync(parsed, cancellation);
        using var engine = pair.Engine;
        var most = engine.Limits.ContextTokens - PromptTokens;
        if (tokens > most)
            throw new ArgumentException($"--tokens is {tokens}; it must be from {Lead + 1} to {most} for this pair's context.");
        var random = new Random(1);
        // The first one pays for compiling.
        for (var round = 0; round <= Rounds; round++)
        {
            var alone = await MeasureAsync(pair, steps, random, cancellation);
            if (round > 0) Write("alone", alone);
        }
        for (var round = 1; round <= Rounds; round++)
        {
            var many = engine.Submit([.. LongSequences(pair.RandomTokens(random, PromptTokens), sequences, tokens)]);
            var reading = Task.WhenAll(many.Skip(1).Select(sequence => sequence.ReadAsync(cancellation)));
            for (var token = 0; token < Lead; token++) await many[0].Events.ReadAsync(cancellation);
            Write($"beside {sequences} x {tokens}", await MeasureAsync(pair, steps, random, cancellation));
            foreach (var sequence in many) sequence.Cancel();
            await Task.WhenAll(reading, many[0].ReadAsync(cancellation));
        }

        void Write(string name, (double Seconds, int Steps) waited) => output.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"{name,-18} first token after {waited.Seconds,8:F3} s, {waited.Steps,4} steps"));
    }

    private static IEnumerable<GenerationRequest> LongSequences(int[] prompt, int count, int tokens) =>
        Enumerable.Range(0, count).Select(choice => PairRequests.Request(prompt, tokens, "many", choice));

    private static async Task<(double Seconds, int Steps)> MeasureAsync(
        ServedPair pair, StepClock steps, Random random, CancellationToken cancellation)
    {
        var prompt = pair.RandomTokens(random, PromptTokens);
        var sequence = pair.Engine.Submit([PairRequests.Request(prompt, ShortTokens, "one")])[0];
        await sequence.ReadAsync(cancellation);
        return (pair.FirstTokenSeconds(sequence), steps.StepsToFirstToken(sequence.Timestamps));
    }
}
