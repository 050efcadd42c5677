using System.Globalization;
using System.Text.RegularExpressions;
using Microsoft.Playwright;
using Xunit;
using static Microsoft.Playwright.Assertions;

namespace DeRa.Page.Tests;

/// <summary>By itself: the series of all servers of a process are in the metrics of each, and go where one ends.</summary>
[Collection(nameof(PairTests)), CollectionDefinition(nameof(PairTests), DisableParallelization = true)]
public partial class PairTests(Chromium chromium, StoriesServer stories)
{
    [Fact]
    public async Task What_is_served_and_how_it_does_is_shown_live()
    {
        await using var page = await chromium.OpenAsync(stories.Address, "write?prompt=a");
        await AssertCountedAsync(page, () => page.Tab.GetByRole(AriaRole.Tab, new() { Name = "Pair" }).ClickAsync());
        await Expect(page.View("pair").Locator("tbody th")).ToHaveTextAsync(["reference", "aligned"]);
        await Expect(page.View("pair")).ToContainTextAsync("512 tokens");
        await Expect(page.View("pair")).ToContainTextAsync("happy, story");
        await Expect(page.View("pair").Locator(".tile")).ToHaveCountAsync(9);
        // Asked again and again while the view is open.
        await AssertCountedAsync(page, () => stories.Server.CompleteAsync("""{"prompt": "a", "max_tokens": 7, "ignore_eos": true}"""));
    }

    /// <summary>What the next scrape says is what the page shows.</summary>
    private static async Task AssertCountedAsync(OpenPage page, Func<Task> act)
    {
        var response = await page.Tab.RunAndWaitForResponseAsync(
            act, response => response.Url.EndsWith("/metrics", StringComparison.Ordinal));
        var tokens = Generated().Matches(await response.TextAsync())
            .Sum(match => double.Parse(match.Groups[1].Value, CultureInfo.InvariantCulture));
        await Expect(page.View("pair").Locator(".tile").First.Locator(".said")).ToHaveTextAsync($"{tokens} in all");
    }

    [GeneratedRegex("^vllm:generation_tokens_total[^ ]* (.*)$", RegexOptions.Multiline)]
    private static partial Regex Generated();
}
