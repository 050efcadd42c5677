using System.Text;
using System.Text.Json;
using DeRa.Hosting.Options;
using DeRa.Server.Http;
using DeRa.Server.Options;
using DeRa.Serving;
using DeRa.Serving.Requests;
using DeRa.Testing;
using Microsoft.AspNetCore.Http;
using Xunit;

namespace DeRa.Server.Tests.Http;

public class InfoTests
{
    private static readonly string[] Places = ["FILE", "FOLDER"];

    [Fact]
    public async Task What_is_served_and_its_limits_are_told()
    {
        await using var server = await ServerFixture.StartAsync(
            limits: new RequestLimits { MaxStrength = 3, MaxLogprobs = 7, MaxDuration = TimeSpan.FromSeconds(90) },
            aligned: ["helpful", "concise"]);
        var info = (await server.GetAsync("/info")).Json;
        Assert.Equal("pair", info.GetProperty("pair").GetString());
        Assert.Equal(["helpful", "concise"], info.GetProperty("aligned").EnumerateArray().Select(name => name.GetString()));
        Assert.Equal((256, 258, 4096), (info.GetProperty("context_tokens").GetInt32(), info.GetProperty("vocabulary_size").GetInt32(),
            info.GetProperty("cache_tokens").GetInt32()));
        var limits = info.GetProperty("limits");
        Assert.Equal((-1.0, 3.0, 7), (limits.GetProperty("min_strength").GetDouble(), limits.GetProperty("max_strength").GetDouble(),
            limits.GetProperty("max_logprobs").GetInt32()));
        Assert.Equal(90, limits.GetProperty("max_duration_seconds").GetDouble());
        Assert.Equal(typeof(RequestLimits).GetProperties().Length, limits.EnumerateObject().Count());
        Assert.Equal((await server.GetAsync("/version")).Json.GetProperty("version").GetString(), info.GetProperty("version").GetString());
    }

    [Fact]
    public async Task The_models_of_the_pair_are_told()
    {
        var executor = new ScriptedExecutor();
        var pair = ServerFixture.Pair(executor) with { Members = [new ServedMember("reference", "cpu", "bfloat16", 5, 6)] };
        await using var server = await ServerFixture.StartLoadingAsync((_, _) => Task.FromResult(pair), executor);
        await server.PhaseChangedAsync();
        Assert.Equal("""[{"name":"reference","device":"cpu","dtype":"bfloat16","weight_bytes":5,"cache_bytes":6}]""",
            (await server.GetAsync("/info")).Json.GetProperty("members").GetRawText());
    }

    [Fact]
    public async Task Options_in_force_are_told_but_for_secrets_and_places()
    {
        var options = new ServerOptions
        {
            Time = new() { MaxStepSeconds = 123 },
            Engine = new() { Speculation = DeRa.Engine.Scheduling.Speculation.Off },
            Model = new() { Name = "shown-name", Aligned = ["a=x", "b=y"], Rewards = "hidden-place" },
            Compute = new() { Libtorch = "hidden-place" },
            Key = new() { ApiKeys = "hidden-place", ApiKey = new Secret("hidden-secret") },
            Tls = new() { TlsCertificate = "hidden-place", TlsKey = "hidden-place", TlsPassword = new Secret("hidden-secret") },
            Config = "hidden-place",
        };
        var hidden = OptionReader.Table.All.Where(entry => entry.IsSecret || Places.Contains(entry.Placeholder)).ToList();
        Assert.All(hidden, entry => Assert.NotNull(entry.Get(options)));
        await using var server = await ServerFixture.StartAsync();
        using var body = new MemoryStream();
        var context = new DefaultHttpContext { Response = { Body = body } };
        await new InfoEndpoint(server.State, options, TimeProvider.System).HandleAsync(context);
        var text = Encoding.UTF8.GetString(body.ToArray());
        using var json = JsonDocument.Parse(text);
        var told = json.RootElement.GetProperty("options");
        Assert.Equal(123, told.GetProperty("max-step-seconds").GetInt32());
        Assert.Equal("off", told.GetProperty("speculation").GetString());
        Assert.Equal("shown-name", told.GetProperty("name").GetString());
        Assert.Equal("""["a=x","b=y"]""", told.GetProperty("aligned").GetRawText());
        Assert.Equal(JsonValueKind.Null, told.GetProperty("threads").ValueKind);
        Assert.DoesNotContain("hidden", text, StringComparison.Ordinal);
        Assert.Equal(OptionReader.Table.All.Except(hidden).Select(entry => entry.Name), told.EnumerateObject()
            .Select(option => option.Name));
        Assert.Superset(new HashSet<string> { "config", "libtorch", "rewards", "api-keys", "api-key", "tls-key", "tls-password" },
            hidden.Select(entry => entry.Name).ToHashSet());
    }
}
