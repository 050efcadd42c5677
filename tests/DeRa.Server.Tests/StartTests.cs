using System.Net.Http.Json;
using System.Text.Json;
using DeRa.Hosting.Options;
using DeRa.Server.Composition;
using DeRa.Server.Options;
using Microsoft.Extensions.DependencyInjection;
using Xunit;

namespace DeRa.Server.Tests;

/// <summary>What the real process prints.</summary>
public class StartTests
{
    private static readonly CancellationToken Stop = TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_start_says_first_what_it_loads_and_last_where_it_is_ready_with_a_command_that_works()
    {
        await using var server = await ServerProcess.StartAsync("--drain-seconds=0");
        await server.EventuallyAsync(() => Task.FromResult(server.Lines.Any(line => line.Contains(" ready: ", StringComparison.Ordinal))));
        var lines = server.Lines.ToList();
        Assert.Contains("Z info  Loading the default pair 'stories'", lines[0], StringComparison.Ordinal);
        Assert.Contains(" HTTP on http://127.0.0.1:", lines[1], StringComparison.Ordinal);
        Assert.Contains(" gRPC on http://127.0.0.1:", lines[2], StringComparison.Ordinal);
        var local = $"http://localhost:{server.Http.BaseAddress!.Port}/";
        Assert.Matches($" ready: {local} .*try: curl {local}v1/completions -H 'content-type: application/json' -d '{{.*}}'$", lines[^1]);
        var body = lines[^1][(lines[^1].IndexOf("-d '", StringComparison.Ordinal) + 4)..^1];
        using var content = new StringContent(body, System.Text.Encoding.UTF8, "application/json");
        using var response = await server.Http.PostAsync("/v1/completions", content, Stop);
        Assert.True(response.IsSuccessStatusCode);
        await server.EventuallyAsync(() =>
            Task.FromResult(server.Lines.Any(line => line.Contains(" POST /v1/completions 200 ", StringComparison.Ordinal))));
    }

    [Theory]
    [InlineData("127.0.0.1", null, "localhost")]
    [InlineData("localhost", "api.example.com", "localhost")]
    [InlineData("0.0.0.0", null, "localhost")]
    [InlineData("0.0.0.0", "*", "localhost")]
    [InlineData("0.0.0.0", "api.example.com", "api.example.com")]
    [InlineData("127.0.0.2", null, "127.0.0.2")]
    public async Task The_address_to_try_is_one_under_which_the_server_answers(string listen, string? allowed, string host)
    {
        await using var server =
            await SecuredServer.StartAsync(
            new ServerOptions { Endpoint = new() { Host = listen }, Origin = new() { AllowedHosts = allowed is null ? [] : [allowed] } });
        var addresses = server.Services.GetRequiredService<ServerAddresses>();
        Assert.Equal($"http://{host}:{addresses.Http.Port}/", addresses.Local.ToString());
        Assert.StartsWith($"curl {addresses.Local}v1/completions ", addresses.Example, StringComparison.Ordinal);
        Assert.DoesNotContain("authorization", addresses.Example, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Where_a_key_is_needed_the_command_to_try_has_a_place_for_it()
    {
        await using var server =
            await SecuredServer.StartAsync(new ServerOptions { Key = new() { ApiKey = new Secret("a-key-of-16-chars") } });
        Assert.Contains("-H \"authorization: Bearer $KEY\"", server.Services.GetRequiredService<ServerAddresses>().Example,
            StringComparison.Ordinal);
    }

    [Fact]
    public async Task Lines_of_JSON_are_whole_and_not_escaped_for_HTML()
    {
        await using var server = await ServerProcess.StartAsync("--drain-seconds=0", "--log-format=json", "--log-level=debug");
        await server.StatusAsync("/v1/models/%22a%22%0A%E5%A5%BD");
        using (var response = await server.Http.PostAsJsonAsync("/v1/completions", new { prompt = "a", model = "stories@0.5\n" }, Stop))
            Assert.True(response.IsSuccessStatusCode);
        await server.EventuallyAsync(() =>
            Task.FromResult(server.Lines.Any(line => line.Contains("stories@0.5", StringComparison.Ordinal))));
        Assert.DoesNotContain(server.Lines, line => line.Contains(@"\u00", StringComparison.Ordinal)
            && !line.Contains("stories@0.5", StringComparison.Ordinal));
        Assert.Contains(server.Lines, line => line.Contains("'stories'", StringComparison.Ordinal));
        var fields = server.Lines.Select(line => JsonDocument.Parse(line).RootElement.GetProperty("State")).ToList();
        Assert.Contains(fields, state => state.TryGetProperty("Path", out var path) && path.ValueEquals("/v1/models/%22a%22%0A%E5%A5%BD"));
        var completion = fields.Single(state => state.TryGetProperty("Model", out var model)
            && model.GetString()!.StartsWith("stories@", StringComparison.Ordinal));
        Assert.Equal(0.5, completion.GetProperty("Strength").GetDouble());
        // Probes are told at the level debug.
        Assert.Contains(fields, state => state.TryGetProperty("Path", out var path) && path.ValueEquals("/readyz"));
    }

    [Fact]
    public async Task A_level_keeps_lines_below_it_away()
    {
        await using var server = await ServerProcess.StartAsync("--drain-seconds=0", "--log-level=info");
        await server.StatusAsync("/v1/models");
        await server.EventuallyAsync(() =>
            Task.FromResult(server.Lines.Any(line => line.Contains(" GET /v1/models ", StringComparison.Ordinal))));
        Assert.DoesNotContain(server.Lines, line => line.Contains("/readyz", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_reader_of_the_output_that_takes_nothing_holds_up_no_request()
    {
        await using var server = await ServerProcess.StartAsync("--drain-seconds=0");
        using (server.HoldOutput())
            // More than fit into the pipe and the queue before it.
            for (var request = 0; request < 4000; request++)
                Assert.Equal(200, await server.StatusAsync("/v1/models").WaitAsync(TimeSpan.FromSeconds(120), Stop));
        if (!OperatingSystem.IsLinux()) return;
        server.Terminate();
        Assert.Equal(0, await server.EndedAsync());
    }
}
