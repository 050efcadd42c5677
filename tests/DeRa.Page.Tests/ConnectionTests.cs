using DeRa.Testing.Server;
using Xunit;
using static Microsoft.Playwright.Assertions;

namespace DeRa.Page.Tests;

public class ConnectionTests(Chromium chromium, StoriesServer stories)
{
    private const string Text = "one two three four five six";

    [Fact]
    public async Task A_server_that_goes_away_in_mid_stream_is_missed_and_the_text_goes_on_once_it_is_back()
    {
        var (server, steps) = await SteppedServer.StartAsync(Text);
        await using var relay = new Relay(server.Http.BaseAddress!);
        await using var page = await chromium.OpenAsync(relay.Address, "write?prompt=a&max_tokens=100");
        page.ExpectedFaults = new("ERR_|Failed to load");
        await page.Button("Stream").ClickAsync();
        await steps.StepUntilAsync(async () => (await page.Written.TextContentAsync())!.StartsWith("one two", StringComparison.Ordinal));
        var before = (await page.Written.TextContentAsync())!;
        relay.Cut();
        steps.Release(1000);
        await server.DisposeAsync();
        await Expect(page.Tab.Locator("#connection")).ToHaveTextAsync("Away");
        await Expect(page.Tab.Locator("#notice")).ToContainTextAsync("What is here stays");
        Assert.StartsWith(before, await page.Written.TextContentAsync(), StringComparison.Ordinal);
        await using var next = await ServerFixture.StartAsync(Scripts.Saying(Text));
        relay.Restore(next.Http.BaseAddress!);
        await Expect(page.Tab.Locator("#connection")).ToHaveTextAsync("Connected");
        await Expect(page.Written).ToHaveTextAsync(Text);
        await Expect(page.Tab.Locator("#notice")).ToBeHiddenAsync();
        await Expect(page.View("write")).ToHaveAttributeAsync("aria-busy", "false");
    }

    [Fact]
    public async Task With_half_a_second_on_the_way_everything_still_works()
    {
        await using var page = await chromium.OpenAsync(stories.Address, "write?prompt=Lily+lost+her+toy.&seed=3&max_tokens=20");
        var session = await page.Tab.Context.NewCDPSessionAsync(page.Tab);
        await session.SendAsync("Network.emulateNetworkConditions", new Dictionary<string, object>
        {
            ["offline"] = false,
            ["latency"] = 500,
            ["downloadThroughput"] = -1,
            ["uploadThroughput"] = -1,
        });
        await page.RunAsync("write");
        await page.Tab.Locator("#strength").PressAsync("End");
        var reply = await stories.Server.CompleteAsync(
            """{"prompt": "Lily lost her toy.", "max_tokens": 20, "seed": 3, "alignment_strength": 3}""");
        await Expect(page.Written).ToHaveTextAsync(reply.Text());
    }

    [Fact]
    public async Task A_server_that_loads_is_waited_for()
    {
        var loaded = new TaskCompletionSource<Serving.ServedPair>();
        await using var server = await ServerFixture.StartLoadingAsync((_, _) => loaded.Task);
        await using var page = await chromium.OpenAsync(server.Http.BaseAddress!, "write?prompt=a", waits: false);
        page.ExpectedFaults = new("503 \\(Service Unavailable\\)");
        await Expect(page.Tab.Locator("#notice")).ToContainTextAsync("The server is loading");
        loaded.SetResult(ServerFixture.Pair(Scripts.Saying("here")));
        await page.ReadyAsync();
        await page.RunAsync("write");
        await Expect(page.Written).ToHaveTextAsync("here");
    }
}
