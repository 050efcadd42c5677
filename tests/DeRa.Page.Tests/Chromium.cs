using Microsoft.Playwright;
using Xunit;

[assembly: AssemblyFixture(typeof(DeRa.Page.Tests.Chromium))]

namespace DeRa.Page.Tests;

/// <summary>The machine's Chromium, one for all tests. Where there is none its tests are skipped.</summary>
public sealed class Chromium : IAsyncLifetime
{
    /// <summary>On a busy machine a page takes its time; how long never decides.</summary>
    private const float PatientMilliseconds = 120_000;

    private static readonly string[] s_places = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"];

    private IPlaywright? _playwright;
    private IBrowser? _browser;

    public async ValueTask InitializeAsync()
    {
        if (s_places.FirstOrDefault(File.Exists) is not { } program) return;
        Assertions.SetDefaultExpectTimeout(PatientMilliseconds);
        _playwright = await Playwright.CreateAsync();
        _browser = await _playwright.Chromium.LaunchAsync(new() { ExecutablePath = program, Args = ["--no-sandbox", "--disable-gpu"] });
    }

    /// <summary>Opens a server's page in a browser of its own: no tab's storage is another's.</summary>
    /// <param name="server">The server's address.</param>
    /// <param name="address">What is behind '#'.</param>
    /// <param name="width">Of the window, in pixels.</param>
    /// <param name="dark">Whether its reader likes it dark.</param>
    /// <param name="waits">Whether to wait until it knows what is served.</param>
    public async Task<OpenPage> OpenAsync(Uri server, string address = "write", int width = 1280, bool dark = false, bool waits = true)
    {
        Assert.SkipUnless(_browser is not null, $"needs Chromium, which is at none of {string.Join(", ", s_places)}");
        var context = await _browser.NewContextAsync(new()
        {
            ViewportSize = new() { Width = width, Height = width < 500 ? 780 : 860 },
            ColorScheme = dark ? ColorScheme.Dark : ColorScheme.Light,
            ReducedMotion = ReducedMotion.Reduce,
            Permissions = ["clipboard-read", "clipboard-write"],
        });
        context.SetDefaultTimeout(PatientMilliseconds);
        var page = new OpenPage(context, await context.NewPageAsync());
        await page.Tab.GotoAsync(new Uri(server, $"/#{address}").AbsoluteUri);
        if (waits) await page.ReadyAsync();
        return page;
    }

    public async ValueTask DisposeAsync()
    {
        if (_browser is not null) await _browser.DisposeAsync();
        _playwright?.Dispose();
    }
}
