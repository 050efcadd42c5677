using System.Text.Json;
using Microsoft.Playwright;
using Xunit;
using static Microsoft.Playwright.Assertions;

namespace DeRa.Page.Tests;

public class TokensTests(Chromium chromium, StoriesServer stories)
{
    private const string Link = "tokens?prompt=Lily+lost+her+toy.&seed=3&max_tokens=24&strength=0.5";

    private async Task<JsonElement> MeasuresAsync() => (await stories.Server.CompleteAsync("""
        {"prompt": "Lily lost her toy.", "max_tokens": 24, "seed": 3, "alignment_strength": 0.5, "measures": {"top": 5}}
        """)).Choice().GetProperty("measures").GetProperty("tokens");

    private static ILocator Token(OpenPage page, int place) => page.Tab.Locator(".token").Nth(place);

    /// <summary>The tokens that a list shows, without their probabilities.</summary>
    private static ILocator List(OpenPage page, string name) =>
        page.View("tokens").Locator(".list").Filter(new() { Has = page.Tab.GetByRole(AriaRole.Heading, new() { Name = name }) })
            .Locator(".alternative span:first-child");

    private static async Task ShowsAsync(OpenPage page, JsonElement token)
    {
        foreach (var (list, name) in ((string, string)[])[
            ("Reference", "top_reference"), ("Mixture", "top_mixture"), ("Aligned", "top_aligned")])
            await Expect(List(page, list)).ToHaveTextAsync(
                token.GetProperty(name).EnumerateArray().Select(entry => entry.GetProperty("token").GetString()!.Trim()));
    }

    [Fact]
    public async Task A_token_that_is_hovered_or_focused_shows_what_both_models_and_the_mixture_say()
    {
        await using var page = await chromium.OpenAsync(stories.Address, Link);
        await page.RunAsync("tokens");
        var tokens = await MeasuresAsync();
        await Expect(page.Tab.Locator(".token")).ToHaveCountAsync(tokens.GetArrayLength());
        await Token(page, 5).HoverAsync();
        await ShowsAsync(page, tokens[5]);
        await Token(page, 0).FocusAsync();
        await ShowsAsync(page, tokens[0]);
        await Token(page, 0).PressAsync("ArrowRight");
        await Expect(Token(page, 1)).ToBeFocusedAsync();
        await ShowsAsync(page, tokens[1]);
    }

    [Fact]
    public async Task Tokens_are_shaded_by_KL_or_by_implicit_reward()
    {
        await using var page = await chromium.OpenAsync(stories.Address, Link);
        await page.RunAsync("tokens");
        var tokens = (await MeasuresAsync()).EnumerateArray().ToList();
        await AssertShadedAsync(page, [.. tokens.Select(token => token.GetProperty("kl_to_reference").GetDouble())]);
        await page.View("tokens").GetByLabel("implicit reward", new() { Exact = true }).ClickAsync();
        // The default pair's β is in it: the server has --beta 0.1.
        var rewards = tokens.ConvertAll(token => token.GetProperty("implicit_reward").GetDouble());
        await Expect(page.Tab.Locator(".token.less")).ToHaveCountAsync(rewards.Count(reward => reward < 0));
        await AssertShadedAsync(page, [.. rewards.Select(Math.Abs)]);
    }

    /// <summary>The order of the shades is that of the values.</summary>
    private static async Task AssertShadedAsync(OpenPage page, double[] values)
    {
        var weights = await page.Tab.EvaluateAsync<double[]>(
            "[...document.querySelectorAll('.token')].map(token => Number(token.style.getPropertyValue('--weight')))");
        var ordered = values.Zip(weights).OrderBy(pair => pair.First).Select(pair => pair.Second).ToList();
        Assert.Equal(ordered.Order(), ordered);
        Assert.True(ordered[^1] > ordered[0]);
    }

    [Fact]
    public async Task Another_token_goes_on_from_there_as_a_branch()
    {
        await using var page = await chromium.OpenAsync(stories.Address, Link);
        await page.RunAsync("tokens");
        var first = await page.Tab.Locator(".tokens").TextContentAsync();
        var token = (await MeasuresAsync())[5];
        await Token(page, 5).ClickAsync();
        // The pointer is not bound to a way around the other tokens.
        await Token(page, 7).HoverAsync();
        var other = token.GetProperty("top_mixture").EnumerateArray().First(entry =>
            entry.GetProperty("id").GetInt32() != token.GetProperty("id").GetInt32());
        await page.View("tokens").Locator(".mixture .alternative:not([aria-current])").First.ClickAsync();
        await page.DoneAsync("tokens");
        await Expect(Token(page, 5)).ToHaveTextAsync(other.GetProperty("token").GetString()!.Trim());
        await Expect(page.Tab.Locator(".node")).ToHaveCountAsync(2);
        // The same as a request whose prompt is the text up to there: draws count from the prompt's beginning.
        var ids = (await MeasuresAsync()).EnumerateArray().Take(5).Select(entry => entry.GetProperty("id").GetInt32());
        var prompt = (await stories.Server.PostAsync("/tokenize", """{"prompt": "Lily lost her toy."}""")).Json.GetProperty("tokens")
            .EnumerateArray().Select(id => id.GetInt32());
        var goesOn = await stories.Server.CompleteAsync($$"""
            {"prompt": [{{string.Join(',', [.. prompt, .. ids, other.GetProperty("id").GetInt32()])}}], "max_tokens": 18, "seed": 3,
             "alignment_strength": 0.5}
            """);
        Assert.EndsWith(goesOn.Text(), (await page.Tab.Locator(".tokens").TextContentAsync())!.Replace("⏎", "", StringComparison.Ordinal),
            StringComparison.Ordinal);
        await page.Tab.Locator(".node").First.ClickAsync();
        await Expect(page.Tab.Locator(".tokens")).ToHaveTextAsync(first!);
    }
}
