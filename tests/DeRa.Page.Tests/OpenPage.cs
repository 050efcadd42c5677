using System.Collections.Concurrent;
using System.Text.RegularExpressions;
using Microsoft.Playwright;
using Xunit;
using static Microsoft.Playwright.Assertions;

namespace DeRa.Page.Tests;

/// <summary>A page in a browser, and what its console has said.</summary>
public sealed partial class OpenPage : IAsyncDisposable
{
    private readonly IBrowserContext _context;
    private readonly ConcurrentQueue<string> _faults = new();

    public OpenPage(IBrowserContext context, IPage tab)
    {
        (_context, Tab) = (context, tab);
        // Breaches of the content security policy are errors there.
        tab.Console += (_, line) =>
        {
            if (line.Type == "error") _faults.Enqueue(line.Text);
        };
        tab.PageError += (_, fault) => _faults.Enqueue(fault);
    }

    public IPage Tab { get; }

    /// <summary>Errors that a test brings about itself: a browser says of each refused or failed call that it was.</summary>
    public Regex? ExpectedFaults { get; set; }

    /// <summary>Waits until the page knows what is served.</summary>
    public Task ReadyAsync() => Expect(Tab.Locator("body[data-ready]")).ToHaveCountAsync(1);

    /// <summary>The section of a view.</summary>
    public ILocator View(string name) => Tab.Locator($"#{name}");

    public ILocator Button(string name) => Tab.GetByRole(AriaRole.Button, new() { Name = name, Exact = true });

    /// <summary>Presses a view's main button and waits until all has come.</summary>
    public async Task RunAsync(string view)
    {
        await View(view).Locator("button.primary").ClickAsync();
        await DoneAsync(view);
    }

    /// <summary>Waits until a view has what it was asked for.</summary>
    public async Task DoneAsync(string view)
    {
        await Expect(View(view)).ToHaveAttributeAsync("aria-busy", "false");
        await Expect(View(view).GetByRole(AriaRole.Status)).ToHaveTextAsync(Said());
    }

    /// <summary>The text of the Write view that a model has written.</summary>
    public ILocator Written => Tab.Locator("#write .made, #write .message.assistant").Last;

    /// <summary>What is behind '#' in the address once the page has put it there.</summary>
    public Task AddressAsync(string pattern) => Expect(Tab).ToHaveURLAsync(new Regex(pattern));

    /// <summary>Nothing is wider than the window.</summary>
    public async Task AssertFitsAsync()
    {
        var sizes = await Tab.EvaluateAsync<int[]>("[document.documentElement.scrollWidth, innerWidth]");
        Assert.True(sizes[0] <= sizes[1], $"{sizes[0]} pixels in a window of {sizes[1]}");
    }

    public async ValueTask DisposeAsync()
    {
        await _context.DisposeAsync();
        Assert.All(_faults, fault => Assert.True(ExpectedFaults?.IsMatch(fault) == true, fault));
    }

    [GeneratedRegex("^(Done|[0-9]+ tokens|[0-9]+ strengths|.*: [0-9]+ strengths)")]
    private static partial Regex Said();
}
