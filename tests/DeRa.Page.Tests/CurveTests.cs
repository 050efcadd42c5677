using System.Globalization;
using DeRa.Serving.Sweeps;
using DeRa.Testing;
using Microsoft.Playwright;
using Xunit;
using static Microsoft.Playwright.Assertions;

namespace DeRa.Page.Tests;

public class CurveTests(Chromium chromium, StoriesServer stories)
{
    private const string Link =
        "curve?prompt=Lily+lost+her+toy.&seed=3&max_tokens=24&curve_from=0&curve_to=2&curve_step=1&curve_samples=2";

    [Fact]
    public async Task Rewards_KL_and_length_are_drawn_against_strength_and_the_best_is_marked()
    {
        await using var page = await chromium.OpenAsync(stories.Address, Link);
        await page.RunAsync("curve");
        await Expect(page.View("curve").Locator("figcaption strong")).ToHaveTextAsync(["happy", "story", "KL to the reference", "Length"]);
        var means = new List<double>();
        for (var strength = 0; strength <= 2; strength++)
        {
            var choices = (await stories.Server.CompleteAsync($$"""
                {"prompt": "Lily lost her toy.", "max_tokens": 24, "seed": 3, "n": 2, "alignment_strength": {{strength}},
                 "rewards": ["happy"]}
                """)).Json.GetProperty("choices").EnumerateArray();
            means.Add(choices.Average(choice => choice.GetProperty("rewards").GetProperty("happy").GetDouble()));
        }
        await Expect(page.View("curve").Locator("tbody tr td:nth-child(2)"))
            .ToHaveTextAsync(means.Select(mean => Shown(mean, 3)));
        var best = means.IndexOf(means.Max());
        await Expect(page.View("curve").Locator(".best .big")).ToHaveTextAsync($"λ {best}");
        await Expect(page.View("curve").Locator(".mark-text").First).ToHaveTextAsync($"best: λ {best}");
        var advice = page.View("curve").Locator(".best strong");
        if (best > 0) await Expect(advice).ToHaveTextAsync($"β/λ = {Shown(0.1 / best, 4)}");
        else await Expect(advice).ToHaveCountAsync(0);
    }

    [Fact]
    public async Task A_saved_sweep_is_opened()
    {
        using var folder = new TemporaryFolder();
        await using var page = await chromium.OpenAsync(stories.Address, Link);
        foreach (var (name, text) in ((string, string)[])[("results.jsonl", Results()), ("strengths.csv", Strengths)])
        {
            await page.Tab.Locator("#sweep-file").SetInputFilesAsync(folder.Write(name, text));
            await Expect(page.View("curve").GetByRole(AriaRole.Status)).ToHaveTextAsync($"{name}: 3 strengths");
            await AssertShownAsync(page);
        }
        await page.Tab.GetByLabel("β of training").FillAsync("0.3");
        await Expect(page.View("curve").Locator(".best strong")).ToHaveTextAsync("β/λ = 0.2");
    }

    private static async Task AssertShownAsync(OpenPage page)
    {
        await Expect(page.View("curve").Locator("tbody th")).ToHaveTextAsync(["0", "1.5", "3"]);
        await Expect(page.View("curve").Locator("tbody tr td:nth-child(2)")).ToHaveTextAsync(["0.25", "0.75", "0.5"]);
        await Expect(page.View("curve").Locator("figcaption strong")).ToHaveTextAsync(["sentiment", "KL to the reference", "Length"]);
        await Expect(page.View("curve").Locator(".best .big")).ToHaveTextAsync("λ 1.5");
    }

    [Fact]
    public async Task What_is_no_sweep_and_strengths_that_do_not_rise_are_refused_by_name()
    {
        using var folder = new TemporaryFolder();
        await using var page = await chromium.OpenAsync(stories.Address, Link + "&curve_from=3");
        await page.Tab.Locator("#sweep-file").SetInputFilesAsync(folder.Write("cats.csv", "name,legs\nTom,4\n"));
        await Expect(page.Tab.Locator("#notice")).ToContainTextAsync("cats.csv is neither results.jsonl nor strengths.csv");
        await page.Tab.GetByLabel("From λ").FillAsync("5");
        await page.Button("Measure").ClickAsync();
        await Expect(page.Tab.Locator("#notice")).ToHaveTextAsync("Strengths must rise and be from -1 to 10.");
    }

    private const string Strengths = """
        alignment_strength,completions,sentiment,sentiment_low,sentiment_high,sentiment_above_0,sentiment_above_0_low,kl_to_reference,kl_low,kl_high,tokens
        0,2,0.25,0,0.5,0,0,0,0,0,40
        1.5,2,0.75,0.5,1,0.5,0.1,7,6,8,39
        3,2,0.5,0.2,0.9,0.25,0.1,20,18,22,30

        """;

    /// <summary>As <c>dera sweep</c> writes it: two completions at each strength.</summary>
    private static string Results() => string.Join('\n', Row(3, 0, 0.4), Row(3, 1, 0.6), Row(0, 0, 0), Row(0, 1, 0.5), Row(1.5, 0, 0.7),
        Row(1.5, 1, 0.8));

    private static string Row(double strength, int sample, double reward) => new SweepRow
    {
        PromptIndex = 0,
        Prompt = "a",
        Strength = strength,
        Sample = sample,
        Seed = 1,
        Completion = "b\nc",
        Tokens = 2,
        IsFinished = true,
        Kl = strength,
        Rewards = [reward],
    }.ToJson(["sentiment"]);

    private static string Shown(double value, int digits) =>
        Math.Round(value, digits).ToString("0.####", CultureInfo.InvariantCulture).Replace('-', '−');
}
