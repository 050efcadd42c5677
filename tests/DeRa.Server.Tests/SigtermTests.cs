using System.Globalization;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json;
using Xunit;

namespace DeRa.Server.Tests;

/// <summary>The real process: a stop under load, and what it prints.</summary>
public class SigtermTests
{
    private const int Streams = 8;
    private const int Tokens = 160;

    private static readonly CancellationToken Stop = TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_SIGTERM_under_load_breaks_no_stream_and_refuses_new_work()
    {
        if (!OperatingSystem.IsLinux()) Assert.Skip("signals are sent with kill, threads and sockets counted in /proc");
        // Two at a time: most streams still wait in the queue when the signal comes.
        await using var server = await ServerProcess.StartAsync("--drain-seconds=3600", "--max-running=2");
        var streams = Enumerable.Range(0, Streams).Select(seed => Stream.OpenAsync(server.Http, seed)).ToList();
        var first = await await Task.WhenAny(streams);
        await first.FirstEventAsync();
        await server.EventuallyAsync(async () => await ArrivedAsync(server) == Streams);
        server.Terminate();
        await server.EventuallyAsync(async () => await server.StatusAsync("/readyz") == 503);
        using (var refused = await server.Http.PostAsJsonAsync("/v1/completions", new { prompt = "a" }, Stop))
        {
            Assert.Equal(503, (int)refused.StatusCode);
            Assert.True(refused.Headers.RetryAfter!.Delta > TimeSpan.Zero);
        }
        Assert.Equal(200, await server.StatusAsync("/livez"));
        foreach (var opening in streams)
        {
            using var stream = await opening;
            Assert.Equal(Tokens, await stream.ReadToEndAsync());
        }
        Assert.Equal(0, await server.EndedAsync());
    }

    /// <summary>Requests that run, wait or are over.</summary>
    private static async Task<double> ArrivedAsync(ServerProcess server)
    {
        var scrape = await server.Http.GetStringAsync("/metrics", Stop);
        return scrape.Split('\n').Where(line => line.StartsWith("vllm:num_requests_", StringComparison.Ordinal)
            || line.StartsWith("vllm:request_success_total", StringComparison.Ordinal))
            .Sum(line => double.Parse(line.Split(' ')[^1], CultureInfo.InvariantCulture));
    }

    [Theory]
    [InlineData("TERM")]
    [InlineData("INT")]
    public async Task Ctrl_C_ends_a_drain_at_once_with_an_error_event(string first)
    {
        if (!OperatingSystem.IsLinux()) Assert.Skip("signals are sent with kill");
        // One at a time: the choices last far longer than the signals take.
        await using var server = await ServerProcess.StartAsync("--drain-seconds=3600", "--max-running=1");
        using var stream = await Stream.OpenAsync(server.Http, seed: 1, choices: 64);
        server.Signal(first);
        await server.EventuallyAsync(async () => await server.StatusAsync("/readyz") == 503);
        // Repeated by a supervisor, it changes nothing.
        server.Terminate();
        Assert.Equal(503, await server.StatusAsync("/readyz"));
        server.Signal("INT");
        var events = (await stream.BodyAsync()).Split("\n\n", StringSplitOptions.RemoveEmptyEntries);
        Assert.Equal("data: [DONE]", events[^1]);
        Assert.Contains("\"type\":\"overloaded_error\"", events[^2], StringComparison.Ordinal);
        Assert.Equal(0, await server.EndedAsync());
    }

    [Fact]
    public async Task A_storm_of_clients_that_go_away_leaves_no_socket_and_no_thread()
    {
        if (!OperatingSystem.IsLinux()) Assert.Skip("signals are sent with kill, threads and sockets counted in /proc");
        await using var server = await ServerProcess.StartAsync("--drain-seconds=0", "--max-running=4");
        using (var once = await server.Http.PostAsJsonAsync("/v1/completions", new { prompt = "a" }, Stop)) Assert.True(
            once.IsSuccessStatusCode);
        // The engine's own, and those that it started for computing: they have its name.
        var (sockets, threads) = (server.Sockets, server.Threads("DeRa engine"));
        for (var storm = 0; storm < 3; storm++)
        {
            using var http = new HttpClient { BaseAddress = server.Http.BaseAddress };
            var streams = Enumerable.Range(0, Streams).Select(seed => Stream.OpenAsync(http, seed)).ToList();
            using var first = await await Task.WhenAny(streams);
            await first.FirstEventAsync();
            http.CancelPendingRequests();
            await Task.WhenAll(streams).ContinueWith(_ => { }, TaskScheduler.Default);
            foreach (var stream in streams.Where(stream => stream.IsCompletedSuccessfully)) (await stream).Dispose();
        }
        await server.EventuallyAsync(async () => server.Sockets <= sockets && (await server.Http.GetStringAsync("/metrics", Stop))
            .Split('\n')
                .Any(line => line.StartsWith("vllm:kv_cache_usage_perc{", StringComparison.Ordinal)
                && line.EndsWith("} 0", StringComparison.Ordinal)));
        Assert.Equal(threads, server.Threads("DeRa engine"));
        server.Terminate();
        Assert.Equal(0, await server.EndedAsync());
    }

    [Fact]
    public async Task What_a_query_holds_is_not_logged()
    {
        if (!OperatingSystem.IsLinux()) Assert.Skip("signals are sent with kill");
        await using var server = await ServerProcess.StartAsync("--drain-seconds=0");
        foreach (var path in (string[])["/v1/models", "/no/such/path", "/v1/completions"]) await server.StatusAsync(path
            + "?api_key=secret");
        server.Terminate();
        Assert.Equal(0, await server.EndedAsync());
        Assert.NotEmpty(server.Lines);
        Assert.DoesNotContain(server.Lines, line => line.Contains("secret", StringComparison.Ordinal));
    }

    private sealed class Stream(HttpResponseMessage response, StreamReader lines) : IDisposable
    {
        public static async Task<Stream> OpenAsync(HttpClient http, int seed, int choices = 1)
        {
            using var request = new HttpRequestMessage(HttpMethod.Post, "/v1/completions")
            {
                Content = new StringContent(
                    $$"""
                    {"prompt":"One day","stream":true,"n":{{choices}},"max_tokens":{{Tokens}},"ignore_eos":true,"seed":{{seed}},
                    "stream_options":{"include_usage":true},"lambda":0.5}
                    """,
                    Encoding.UTF8, "application/json"),
            };
            var response = await http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, Stop);
            Assert.Equal(200, (int)response.StatusCode);
            return new Stream(response, new StreamReader(await response.Content.ReadAsStreamAsync(Stop)));
        }

        public ValueTask<string?> FirstEventAsync() => lines.ReadLineAsync(Stop);

        public Task<string> BodyAsync() => lines.ReadToEndAsync(Stop);

        /// <summary>Whether it ended as it should is asserted; returns the tokens that came.</summary>
        public async Task<int> ReadToEndAsync()
        {
            var body = await lines.ReadToEndAsync(Stop);
            Assert.EndsWith("data: [DONE]\n\n", body, StringComparison.Ordinal);
            Assert.Contains("\"finish_reason\":\"length\"", body, StringComparison.Ordinal);
            Assert.DoesNotContain("\"error\"", body, StringComparison.Ordinal);
            var usage = body.Split("\n\n", StringSplitOptions.RemoveEmptyEntries)[^2]["data: ".Length..];
            using var json = JsonDocument.Parse(usage);
            return json.RootElement.GetProperty("usage").GetProperty("completion_tokens").GetInt32();
        }

        public void Dispose()
        {
            lines.Dispose();
            response.Dispose();
        }
    }
}
