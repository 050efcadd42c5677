using System.CommandLine;
using System.Diagnostics;
using System.Net.Http.Json;
using System.Text.Json;

namespace DeRa.Benchmarks;

/// <summary>
/// How many of 200 requests give another text at once, 64 together, than one after the other; and how long both took. Prompts, lengths,
/// strengths from 0 to 2 and temperatures 0, 0.7 and 1 are the same in each run.
/// </summary>
internal static class SeedBenchmark
{
    private const int Requests = 200, AtOnce = 64;

    private static readonly string[] Words = ["went", "to", "the", "park", "and", "saw", "a", "big", "red", "ball"];

    private static readonly Argument<Uri> s_server = ServerArgument.Create();

    public static Command Create()
    {
        var command = new Command("seeds", "How many texts a server gives otherwise beside others than alone.") { s_server };
        command.SetAction((parsed, _) => RunAsync(parsed.GetRequiredValue(s_server), parsed.InvocationConfiguration.Output));
        return command;
    }

    private static async Task RunAsync(Uri server, TextWriter output)
    {
        using var http = new HttpClient { BaseAddress = server, Timeout = Timeout.InfiniteTimeSpan };
        var random = new Random(1);
        var requests = Enumerable.Range(0, Requests).Select(i => new
        {
            prompt = string.Join(' ', ["Lily", .. random.GetItems(Words, random.Next(60))]),
            max_tokens = random.Next(20, 121),
            seed = i,
            alignment_strength = Math.Round(2 * random.NextDouble(), 2),
            temperature = random.GetItems([0, 0.7, 1], 1)[0],
        }).ToList();
        var watch = Stopwatch.StartNew();
        var alone = new string[Requests];
        for (var i = 0; i < Requests; i++) alone[i] = await TextAsync(http, requests[i]);
        var aloneSeconds = watch.Elapsed.TotalSeconds;
        watch.Restart();
        var together = new string[Requests];
        await Parallel.ForAsync(0, Requests, new ParallelOptions { MaxDegreeOfParallelism = AtOnce },
            async (i, _) => together[i] = await TextAsync(http, requests[i]));
        await output.WriteLineAsync(FormattableString.Invariant(
            $"{alone.Zip(together).Count(pair => pair.First != pair.Second)} of {Requests} texts differ; {aloneSeconds:F1} s one by one, {watch.Elapsed.TotalSeconds:F1} s {AtOnce} at once"));
    }

    private static async Task<string> TextAsync<T>(HttpClient http, T request)
    {
        using var response = await http.PostAsJsonAsync("/v1/completions", request);
        response.EnsureSuccessStatusCode();
        return (await response.Content.ReadFromJsonAsync<JsonElement>()).GetProperty("choices")[0].GetProperty("text").GetString()!;
    }
}
