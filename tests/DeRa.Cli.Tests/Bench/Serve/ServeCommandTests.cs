using System.Net;
using System.Net.Sockets;
using System.Text.Json.Nodes;
using System.Xml.Linq;
using Xunit;
using static DeRa.Cli.Tests.Bench.Serve.ScriptedServer;

namespace DeRa.Cli.Tests.Bench.Serve;

public class ServeCommandTests
{
    [Fact]
    public async Task Each_concurrency_is_measured_and_written_as_table_json_and_plot()
    {
        await using var server = await StartAsync((context, _) => StreamAsync(context, Piece("a"), Piece("b"), Usage(10, 2), "[DONE]"));
        using var folder = new TestFolder();
        var run = await RunAsync(server, "--concurrency", "1,3", "--requests", "6", "--goodput", "ttft:100000",
            "--json", folder.File("r.json"), "--plot", folder.File("r.svg"));

        Assert.Equal(0, run.Code);
        Assert.Contains("concurrency 1, ", run.Out, StringComparison.Ordinal);
        Assert.Contains("concurrency 3, ", run.Out, StringComparison.Ordinal);
        Assert.Contains("[2/2] concurrency 3", run.Error, StringComparison.Ordinal);
        var measured = JsonNode.Parse(File.ReadAllText(folder.File("r.json")))!["measurements"]!.AsArray();
        Assert.Equal([1, 3], measured.Select(one => (int)one!["max_concurrency"]!));
        Assert.All(measured, one =>
        {
            Assert.Equal((6, 0, 60, 12), ((int)one!["completed"]!, (int)one["failed"]!,
                (int)one["total_input_tokens"]!, (int)one["total_output_tokens"]!));
            Assert.Equal((double)one["request_throughput"]!, (double)one["request_goodput"]!);
            foreach (var name in (string[])["ttft", "tpot", "itl", "e2el"])
                foreach (var kind in (string[])["mean", "median", "p90", "p99"]) Assert.True((double)one[$"{kind}_{name}_ms"]! >= 0);
        });
        var texts = XDocument.Load(folder.File("r.svg")).Descendants().Where(element => element.Name.LocalName == "text")
            .Select(element => element.Value);
        Assert.Superset(new HashSet<string> { "Throughput", "p50", "p99", "1", "3" }, texts.ToHashSet());
    }

    [Fact]
    public async Task Requests_are_about_as_many_tokens_as_asked_for()
    {
        // Two tokens a word, and seven of a template.
        ScriptedServer? server = null;
        server = await StartAsync((context, number) =>
            StreamAsync(context, Piece("a"), Usage(2 * Words(server!.Requests[number]) + 7, 1), "[DONE]"));
        await using var running = server;
        await RunAsync(server, "--requests", "1", "--input-tokens", "107");

        Assert.Equal(50, Words(server.Requests[^1]));

        static int Words(JsonObject request) => ((string)request["messages"]![0]!["content"]!).Split(' ').Length;
    }

    [Fact]
    public async Task Vllms_names_are_taken()
    {
        await using var server = await StartAsync((context, _) => StreamAsync(context, """{"choices": [{"text": "a"}]}""", "[DONE]"));
        var run = await CommandRun.OfAsync("bench", "serve", "--base-url", server.Address + "v1", "--endpoint", "completions",
            "--request-rate", "1000", "--num-prompts", "3", "--random-input-len", "9", "--random-output-len", "4", "--ignore-eos",
            "--strengths", "0,0.5");

        Assert.Equal("", string.Join('\n', run.Error.Split('\n').Where(line => line.StartsWith("dera:", StringComparison.Ordinal))));
        Assert.Equal(0, run.Code);
        var asked = server.Requests[2..].OrderBy(request => (string)request["prompt"]!).ToList();
        Assert.Equal(3, asked.Count);
        Assert.All(asked, request => Assert.Equal((4, true), ((int)request["max_tokens"]!, (bool)request["ignore_eos"]!)));
        Assert.Equal([0, 0, 0.5], asked.Select(request => (double)request["alignment_strength"]!).Order());
    }

    [Fact]
    public async Task A_server_that_cannot_be_reached_is_named()
    {
        using var closed = new TcpListener(IPAddress.Loopback, 0);
        closed.Start();
        var port = ((IPEndPoint)closed.LocalEndpoint).Port;
        closed.Stop();
        var run = await CommandRun.OfAsync("bench", "serve", "--url", $"http://127.0.0.1:{port}");

        Assert.Equal((1, ""), (run.Code, run.Out));
        Assert.StartsWith($"dera: --url http://127.0.0.1:{port}/: connection: ConnectionError: ", run.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_refused_key_is_told_with_where_it_comes_from()
    {
        await using var server = await StartAsync((context, _) =>
            RefuseAsync(context, 401, """{"code": "invalid_api_key", "message": "no such key"}"""));
        var run = await RunAsync(server);

        Assert.Equal((1, ""), (run.Code, run.Out));
        Assert.Contains("HTTP 401 invalid_api_key", run.Error, StringComparison.Ordinal);
        Assert.Contains("no such key", run.Error, StringComparison.Ordinal);
        Assert.Contains("DERA_API_KEY or OPENAI_API_KEY", run.Error, StringComparison.Ordinal);
        Assert.Single(server.Requests);
    }

    [Fact]
    public async Task A_model_that_the_server_does_not_have_ends_it()
    {
        await using var server = await StartAsync((context, _) =>
            RefuseAsync(context, 404, """{"code": "model_not_found", "message": "no model 'other'"}"""));
        var run = await RunAsync(server, "--model", "other");

        Assert.Equal(1, run.Code);
        Assert.Contains("HTTP 404 model_not_found", run.Error, StringComparison.Ordinal);
        Assert.Contains("no model 'other'", run.Error, StringComparison.Ordinal);
        Assert.Equal("other", (string)server.Requests[0]["model"]!);
    }

    [Fact]
    public async Task An_interruption_prints_what_there_is()
    {
        using var stop = new CancellationTokenSource();
        await using var server = await StartAsync(async (context, number) =>
        {
            await StreamAsync(context, Piece("a"), Piece("b"), Usage(10, 2), "[DONE]");
            if (number == 6) await stop.CancelAsync();
        });
        var (output, error) = (new StringWriter(), new StringWriter());
        var code = await Commands.RunAsync(
            ["bench", "serve", "--url", server.Address.ToString(), "--concurrency", "1,2", "--seconds", "86400"],
            output, error, stop.Token);

        Assert.Equal(130, code);
        Assert.Contains("concurrency 1, ", output.ToString(), StringComparison.Ordinal);
        Assert.DoesNotContain("concurrency 2, ", output.ToString(), StringComparison.Ordinal);
        Assert.Contains("requests         ", output.ToString(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("--url is 'here'; it must be an address", "--url", "here")]
    [InlineData("--url", "--requests", "1")]
    [InlineData("--concurrency holds '0'; it must be numbers from 1 to 4096", "--url", "http://x", "--concurrency", "1,0")]
    [InlineData("--strengths holds 'NaN'", "--url", "http://x", "--strengths", "NaN")]
    [InlineData("--rate is 0; it must be above 0", "--url", "http://x", "--rate", "0")]
    [InlineData("--rate and --concurrency are given", "--url", "http://x", "--rate", "1", "--concurrency", "2")]
    [InlineData("--seconds and --requests are given", "--url", "http://x", "--seconds", "1", "--requests", "2")]
    [InlineData("--turns and --system-words need", "--url", "http://x", "--endpoint", "completions", "--turns", "2")]
    [InlineData("--shared-prefix is 1.5; it must be from 0 to 1", "--url", "http://x", "--shared-prefix", "1.5")]
    [InlineData("--goodput holds 'itl:3'", "--url", "http://x", "--goodput", "itl:3")]
    [InlineData("--json is /nowhere/at/all.json, but there is no folder", "--url", "http://x", "--json", "/nowhere/at/all.json")]
    public async Task Bad_options_are_named(string expected, params string[] options)
    {
        var run = await CommandRun.OfAsync(["bench", "serve", .. options]);
        Assert.Equal((2, ""), (run.Code, run.Out));
        Assert.Contains(expected, run.Error, StringComparison.Ordinal);
    }

    private static string Usage(int prompt, int completion) =>
        $$$"""{"choices": [], "usage": {"prompt_tokens": {{{prompt}}}, "completion_tokens": {{{completion}}}}}""";

    private static Task<CommandRun> RunAsync(ScriptedServer server, params string[] options) =>
        CommandRun.OfAsync(["bench", "serve", "--url", server.Address.ToString(), .. options]);
}
