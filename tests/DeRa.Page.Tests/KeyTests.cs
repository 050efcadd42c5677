using DeRa.Testing;
using DeRa.Testing.Server;
using Xunit;
using static Microsoft.Playwright.Assertions;

namespace DeRa.Page.Tests;

public sealed class KeyTests(Chromium chromium) : IDisposable
{
    private const string Wrong = "dera-ffffffffffffffffffffffffffffffff";
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task With_keys_the_page_loads_asks_for_one_and_says_that_one_is_wrong()
    {
        await using var server = await SecuredServer.StartAsync(SecuredServer.WithKeys(_folder));
        await using var page = await chromium.OpenAsync(server.Http.BaseAddress!, "write?prompt=a", waits: false);
        page.ExpectedFaults = new("401 \\(Unauthorized\\)");
        var field = page.Tab.GetByLabel("API key", new() { Exact = true });
        await Expect(field).ToBeFocusedAsync();
        await field.FillAsync(Wrong);
        await field.PressAsync("Enter");
        await Expect(page.Tab.Locator("#key-wrong")).ToHaveTextAsync("The server does not accept this key.");
        await field.FillAsync(SecuredServer.Key);
        await field.PressAsync("Enter");
        await page.ReadyAsync();
        await page.RunAsync("write");
        await Expect(page.Written).ToHaveTextAsync("fine");
        Assert.DoesNotContain(SecuredServer.Key, page.Tab.Url, StringComparison.Ordinal);
        await page.Button("Copy as code").ClickAsync();
        await Expect(page.Tab.Locator("pre")).ToContainTextAsync("authorization: Bearer $DERA_API_KEY");
        // The tab keeps it.
        await page.Tab.ReloadAsync();
        await page.ReadyAsync();
        await Expect(page.Tab.Locator("#key-dialog")).ToBeHiddenAsync();
    }

    [Fact]
    public async Task Whoever_gives_no_key_is_asked_again_when_they_like()
    {
        await using var server = await SecuredServer.StartAsync(SecuredServer.WithKeys(_folder));
        await using var page = await chromium.OpenAsync(server.Http.BaseAddress!, waits: false);
        page.ExpectedFaults = new("401 \\(Unauthorized\\)");
        await page.Button("Not now").ClickAsync();
        await page.Button("Give a key").ClickAsync();
        await page.Tab.GetByLabel("API key", new() { Exact = true }).FillAsync(SecuredServer.Key);
        await page.Button("Go on").ClickAsync();
        await page.ReadyAsync();
    }
}
