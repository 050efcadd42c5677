using Deque.AxeCore.Playwright;
using Microsoft.Playwright;
using Xunit;
using static Microsoft.Playwright.Assertions;

namespace DeRa.Page.Tests;

/// <summary>For every reader and every screen.</summary>
public class AccessTests(Chromium chromium, StoriesServer stories)
{
    private const string Settings = "?prompt=Lily+lost+her+toy.&seed=3&max_tokens=30&curve_to=1&curve_samples=1";

    [Theory]
    [InlineData("write")]
    [InlineData("compare")]
    [InlineData("tokens")]
    [InlineData("curve")]
    [InlineData("pair")]
    public async Task Axe_finds_nothing_and_nothing_is_wider_than_the_window(string view)
    {
        await using var page = await chromium.OpenAsync(stories.Address, view + Settings);
        if (view == "pair") await Expect(page.View(view).Locator(".tile").First).ToBeVisibleAsync();
        else await page.RunAsync(view);
        if (view == "tokens") await page.Tab.Locator(".token").Nth(3).FocusAsync();
        await page.AssertFitsAsync();
        await AssertForAllAsync(page);
        await page.Tab.SetViewportSizeAsync(360, 780);
        await page.Tab.EmulateMediaAsync(new() { ColorScheme = ColorScheme.Dark });
        await page.AssertFitsAsync();
        await AssertForAllAsync(page);
    }

    private static async Task AssertForAllAsync(OpenPage page) =>
        Assert.Empty((await page.Tab.RunAxe()).Violations.Select(violation =>
            $"{violation.Id}: {string.Join("; ", violation.Nodes.Select(node => node.Html))}"));

    [Fact]
    public async Task Axe_finds_nothing_in_the_dialog_and_the_opened_options()
    {
        await using var page = await chromium.OpenAsync(stories.Address, "write" + Settings + "&schedule=steps&mode=chat");
        foreach (var summary in await page.Tab.Locator("summary").AllAsync()) await summary.ClickAsync();
        await page.Button("Copy as code").ClickAsync();
        await AssertForAllAsync(page);
    }

    [Fact]
    public async Task A_keyboard_is_enough()
    {
        await using var page = await chromium.OpenAsync(stories.Address, "write" + Settings);
        var keys = page.Tab.Keyboard;
        await TabToAsync(page, "#tab-write");
        await keys.PressAsync("ArrowRight");
        await Expect(page.View("compare")).ToBeVisibleAsync();
        await keys.PressAsync("ArrowLeft");
        await Expect(page.View("write")).ToBeVisibleAsync();
        await TabToAsync(page, "#strength");
        for (var i = 0; i < 5; i++) await keys.PressAsync("ArrowRight");
        await Expect(page.Tab.Locator("#strength")).ToHaveValueAsync("1.25");
        await keys.PressAsync("Tab");
        await keys.PressAsync("Enter");
        await page.DoneAsync("write");
        await Expect(page.Button("Stream again")).ToBeFocusedAsync();
        await page.AddressAsync("strength=1.25");
        await TabToAsync(page, "#tab-write", "Shift+Tab");
        await keys.PressAsync("ArrowRight");
        await keys.PressAsync("ArrowRight");
        await TabToAsync(page, "#prompt");
        await keys.PressAsync("Control+Enter");
        await page.DoneAsync("tokens");
        await TabToAsync(page, ".token");
        await keys.PressAsync("End");
        await keys.PressAsync("ArrowLeft");
        // Held, its lists have the focus: the first token of the reference's.
        await keys.PressAsync("Enter");
        await Expect(page.Tab.Locator(".alternative").First).ToBeFocusedAsync();
        await keys.PressAsync("Enter");
        await Expect(page.Tab.Locator(".node")).ToHaveCountAsync(2);
    }

    [Fact]
    public async Task Escape_stops_what_streams()
    {
        var (server, steps) = await SteppedServer.StartAsync();
        await using var _ = server;
        await using var page = await chromium.OpenAsync(server.Http.BaseAddress!, "write?prompt=a&max_tokens=100000");
        await page.Tab.Locator("#prompt").PressAsync("Control+Enter");
        await steps.StepUntilAsync(async () => (await page.Written.TextContentAsync())!.StartsWith("aaa", StringComparison.Ordinal));
        await page.Tab.Keyboard.PressAsync("Escape");
        await Expect(page.View("write")).ToHaveAttributeAsync("aria-busy", "false");
        await Expect(page.View("write").GetByRole(AriaRole.Status)).ToContainTextAsync("stopped");
        steps.Release(1000);
    }

    /// <summary>Presses Tab until an element has the focus.</summary>
    private static async Task TabToAsync(OpenPage page, string selector, string key = "Tab")
    {
        for (var presses = 0; presses < 60; presses++)
        {
            if (await page.Tab.EvaluateAsync<bool>("selector => document.activeElement.matches(selector)", selector)) return;
            await page.Tab.Keyboard.PressAsync(key);
        }
        Assert.Fail($"{key} does not lead to {selector}");
    }
}
