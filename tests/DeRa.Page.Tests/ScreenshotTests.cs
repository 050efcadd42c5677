using DeRa.Testing;
using Microsoft.Playwright;
using Xunit;
using static Microsoft.Playwright.Assertions;

namespace DeRa.Page.Tests;

/// <summary>The pictures of the documentation; written there where the variable <c>DERA_SCREENSHOTS</c> is set.</summary>
public class ScreenshotTests(Chromium chromium, StoriesServer stories)
{
    private const int Width = 1180;

    [Fact]
    public async Task Pictures_are_taken_of_a_text_and_of_its_tokens()
    {
        await using var page = await chromium.OpenAsync(
            stories.Address, "write?prompt=Lily+lost+her+toy.&seed=12&max_tokens=110&strength=0", width: Width);
        await page.Tab.SetViewportSizeAsync(Width, 680);
        await page.RunAsync("write");
        var before = await page.Written.TextContentAsync();
        await page.Tab.Locator("#strength").FillAsync("1.5");
        await Expect(page.Written).Not.ToHaveTextAsync(before!);
        await page.DoneAsync("write");
        await TakeAsync(page, "page-write.png");
        await page.Tab.GetByRole(AriaRole.Tab, new() { Name = "Tokens" }).ClickAsync();
        await page.RunAsync("tokens");
        await page.Tab.Locator(".token").Nth(3).ClickAsync();
        await page.View("tokens").Locator(".mixture .alternative:not([aria-current])").First.ClickAsync();
        await Expect(page.Tab.Locator(".node")).ToHaveCountAsync(2);
        await page.DoneAsync("tokens");
        await page.Tab.SetViewportSizeAsync(Width, 820);
        await TakeAsync(page, "page-tokens.png");
    }

    private static async Task TakeAsync(OpenPage page, string name)
    {
        var picture = await page.Tab.ScreenshotAsync();
        Assert.Equal([0x89, (byte)'P', (byte)'N', (byte)'G'], picture[..4]);
        if (Environment.GetEnvironmentVariable("DERA_SCREENSHOTS") is null) return;
        await File.WriteAllBytesAsync(
            Path.Combine(SharedData.ProjectRoot, "docs", "images", name), picture, TestContext.Current.CancellationToken);
    }
}
