using DeRa.Testing.Server;
using Microsoft.Playwright;
using Xunit;
using static Microsoft.Playwright.Assertions;

namespace DeRa.Page.Tests;

public class CompareTests(Chromium chromium, StoriesServer stories)
{
    private const string Link = "compare?prompt=Lily+lost+her+toy.&seed=3&max_tokens=30";

    private Task<Reply> SweepAsync(string strengths, int samples = 1) => stories.Server.CompleteAsync(
        $$"""{"prompt": "Lily lost her toy.", "max_tokens": 30, "seed": 3, "n": {{samples}}, "alignment_sweep": [{{strengths}}]}""");

    private static async Task ShowsAsync(ILocator texts, Reply reply, params int[] choices)
    {
        await Expect(texts).ToHaveCountAsync(choices.Length);
        for (var i = 0; i < choices.Length; i++) await Expect(texts.Nth(i)).ToHaveTextAsync(reply.Text(choices[i]).TrimStart());
    }

    [Fact]
    public async Task Columns_stream_in_one_response_and_the_first_difference_is_marked()
    {
        await using var page = await chromium.OpenAsync(stories.Address, Link);
        var streams = 0;
        page.Tab.Request += (_, request) => streams += request.Url.EndsWith("/v1/completions", StringComparison.Ordinal) ? 1 : 0;
        await page.RunAsync("compare");
        var reply = await SweepAsync("0, 0.5, 1, 2");
        var texts = page.View("compare").Locator(".text");
        await ShowsAsync(texts, reply, 0, 1, 2, 3);
        Assert.Equal(1, streams);
        await Expect(texts.First.Locator(".first")).ToHaveCountAsync(0);
        for (var i = 1; i < 4; i++)
        {
            var (pinned, other) = (reply.Text().Split(' '), reply.Text(i).Split(' '));
            var place = pinned.Zip(other).TakeWhile(pair => pair.First == pair.Second).Count();
            await Expect(texts.Nth(i).Locator(".first")).ToHaveTextAsync(other[place]);
        }
    }

    [Fact]
    public async Task Columns_are_added_changed_pinned_and_removed()
    {
        await using var page = await chromium.OpenAsync(stories.Address, Link);
        await page.RunAsync("compare");
        var texts = page.View("compare").Locator(".text");
        await page.Button("Add a column").ClickAsync();
        await ShowsAsync(texts, await SweepAsync("0, 0.5, 1, 2, 1.5"), 0, 1, 2, 3, 4);
        await page.Tab.GetByLabel("Column 2: strength").FillAsync("3");
        await page.Tab.GetByLabel("Column 2: strength").PressAsync("Enter");
        var changed = await SweepAsync("0, 3, 1, 2, 1.5");
        await ShowsAsync(texts, changed, 0, 1, 2, 3, 4);
        await page.Button("Column 3: pin").ClickAsync();
        await ShowsAsync(texts, changed, 2, 0, 1, 3, 4);
        await Expect(texts.First.Locator(".first")).ToHaveCountAsync(0);
        await page.Button("Column 1: remove").ClickAsync();
        await ShowsAsync(texts, await SweepAsync("3, 1, 2, 1.5"), 1, 0, 2, 3);
        await page.AddressAsync("columns=%5B3%2C1%2C2%2C1.5%5D&pinned=1");
    }

    [Fact]
    public async Task A_column_may_have_several_samples()
    {
        await using var page = await chromium.OpenAsync(stories.Address, Link + "&columns=[0,2]");
        await page.Tab.GetByLabel("Samples a column").SelectOptionAsync("2");
        await page.RunAsync("compare");
        await ShowsAsync(page.View("compare").Locator(".text"), await SweepAsync("0, 2", samples: 2), 0, 1, 2, 3);
    }
}
