using System.Diagnostics;
using System.Globalization;
using DeRa.Testing;
using DeRa.Testing.Server;
using Microsoft.Playwright;
using Xunit;
using static Microsoft.Playwright.Assertions;

namespace DeRa.Page.Tests;

public class WriteTests(Chromium chromium, StoriesServer stories)
{
    private const string Prompt = "Lily lost her toy.";
    private const string Link = "write?prompt=Lily+lost+her+toy.&seed=3&max_tokens=40";

    private async Task<string> TextAsync(double strength, int seed = 3)
    {
        var number = strength.ToString(CultureInfo.InvariantCulture);
        return (await stories.Server.CompleteAsync(
            $$"""{"prompt": "{{Prompt}}", "max_tokens": 40, "seed": {{seed}}, "alignment_strength": {{number}}}""")).Text();
    }

    [Fact]
    public async Task A_text_streams_and_after_its_end_the_slider_streams_it_again_with_the_same_seed()
    {
        await using var page = await chromium.OpenAsync(stories.Address, Link);
        await page.RunAsync("write");
        await Expect(page.Written).ToHaveTextAsync(await TextAsync(1));
        await page.Tab.Locator("#strength").PressAsync("End");
        await Expect(page.Written).ToHaveTextAsync(await TextAsync(3));
        // What the two texts begin with alike is not marked.
        var marked = string.Concat(await page.Written.Locator(".new").AllTextContentsAsync());
        Assert.NotEmpty(marked);
        Assert.EndsWith(marked, await TextAsync(3), StringComparison.Ordinal);
        Assert.StartsWith((await TextAsync(3))[..^marked.Length], await TextAsync(1), StringComparison.Ordinal);
        await page.Tab.Locator("#strength").PressAsync("Home");
        await Expect(page.Written).ToHaveTextAsync(await TextAsync(-0.5));
    }

    [Fact]
    public async Task Undo_brings_back_text_and_strength_and_redo_takes_it_back()
    {
        await using var page = await chromium.OpenAsync(stories.Address, Link);
        await page.RunAsync("write");
        await page.Tab.Locator("#strength").PressAsync("End");
        await Expect(page.Written).ToHaveTextAsync(await TextAsync(3));
        await page.DoneAsync("write");
        await page.Tab.Keyboard.PressAsync("Control+z");
        await Expect(page.Written).ToHaveTextAsync(await TextAsync(1));
        await Expect(page.Tab.Locator("#strength")).ToHaveValueAsync("1");
        await page.Button("Redo").ClickAsync();
        await Expect(page.Written).ToHaveTextAsync(await TextAsync(3));
        await Expect(page.Tab.Locator("#strength")).ToHaveValueAsync("3");
        await Expect(page.Button("Redo")).ToBeDisabledAsync();
    }

    [Fact]
    public async Task The_slider_in_mid_stream_changes_the_rest_of_the_same_response()
    {
        var (server, steps) = await SteppedServer.StartAsync();
        await using var _ = server;
        await using var page = await chromium.OpenAsync(server.Http.BaseAddress!, "write?prompt=a&strength=0&max_tokens=100000");
        var streams = 0;
        page.Tab.Request += (_, request) => streams += request.Url.EndsWith("/v1/completions", StringComparison.Ordinal) ? 1 : 0;
        await page.Button("Stream").ClickAsync();
        await steps.StepUntilAsync(async () => (await page.Written.TextContentAsync())!.StartsWith("aaa", StringComparison.Ordinal));
        await DragAsync(page, 0, 3);
        await steps.StepUntilAsync(async () => await page.Written.GetByText("λ 3").CountAsync() > 0);
        // A step of the pointer, before it is at the end, may count too.
        Assert.Matches("^a{3,}(λ 0.05a+)?λ 3a*$", await page.Written.TextContentAsync());
        await page.Button("Stop").ClickAsync();
        await Expect(page.View("write")).ToHaveAttributeAsync("aria-busy", "false");
        Assert.Equal(1, streams);
        steps.Release(1000);
    }

    /// <summary>Drags the slider's thumb with the pointer.</summary>
    private static async Task DragAsync(OpenPage page, double from, double to)
    {
        const float thumb = 24;
        var track = (await page.Tab.Locator("#strength").BoundingBoxAsync())!;
        float Place(double strength) => track.X + (thumb / 2) + ((track.Width - thumb) * (float)((strength + 0.5) / 3.5));
        await page.Tab.Mouse.MoveAsync(Place(from), track.Y + (track.Height / 2));
        await page.Tab.Mouse.DownAsync();
        await page.Tab.Mouse.MoveAsync(Place(to), track.Y + (track.Height / 2));
        await page.Tab.Mouse.UpAsync();
        await Expect(page.Tab.Locator("#strength")).ToHaveValueAsync("3");
    }

    [Fact]
    public async Task A_chat_keeps_its_answers_and_goes_on()
    {
        await using var page = await chromium.OpenAsync(
            stories.Address, "write?mode=chat&prompt=Write+a+story+about+a+dog&seed=1&max_tokens=12");
        await page.RunAsync("write");
        var answer = (await stories.Server.ChatAsync(
            """{"messages": [{"role": "user", "content": "Write a story about a dog"}], "max_tokens": 12, "seed": 1}""")).Text();
        await Expect(page.Written).ToHaveTextAsync(answer);
        await page.Button("Keep and go on").ClickAsync();
        await Expect(page.Tab.Locator("#turns li")).ToHaveCountAsync(2);
        await page.Tab.GetByRole(AriaRole.Textbox, new() { Name = "Message", Exact = true }).FillAsync("Write another one");
        await page.RunAsync("write");
        await Expect(page.Written).ToHaveTextAsync((await stories.Server.ChatAsync($$"""
            {"messages": [{"role": "user", "content": "Write a story about a dog"},
              {"role": "assistant", "content": {{System.Text.Json.JsonSerializer.Serialize(answer)}}},
              {"role": "user", "content": "Write another one"}], "max_tokens": 12, "seed": 1}
            """)).Text());
    }

    [Fact]
    public async Task A_schedule_moves_the_strength_and_the_slider_ends_it()
    {
        await using var page = await chromium.OpenAsync(stories.Address, Link);
        await page.Tab.GetByText("Schedule", new() { Exact = false }).First.ClickAsync();
        await page.Tab.GetByLabel("How the strength moves").SelectOptionAsync("steps");
        await page.Tab.GetByLabel("Token: strength, …").FillAsync("0: 0, 24: x");
        await page.View("write").Locator("button.primary").ClickAsync();
        await Expect(page.Tab.GetByRole(AriaRole.Alert).First).ToContainTextAsync("24: x");
        await page.Tab.GetByLabel("Token: strength, …").FillAsync("0: 0, 24: 2");
        await page.RunAsync("write");
        await Expect(page.Written.Locator(".change")).ToHaveTextAsync("λ 2");
        var text = (await stories.Server.CompleteAsync(
            $$"""{"prompt": "{{Prompt}}", "max_tokens": 40, "seed": 3, "alignment_schedule": [[0, 0], [24, 2]]}""")).Text();
        Assert.Equal(text, (await page.Written.TextContentAsync())!.Replace("λ 2", "", StringComparison.Ordinal));
        await page.Tab.Locator("#strength").PressAsync("End");
        await Expect(page.Written).ToHaveTextAsync(await TextAsync(3));
        await Expect(page.Tab.Locator("#schedule")).ToHaveValueAsync("");
    }

    [Fact]
    public async Task What_is_set_is_in_the_address_and_a_link_shows_it_to_somebody_else()
    {
        await using var page = await chromium.OpenAsync(stories.Address);
        await Expect(page.Tab.Locator("#prompt")).ToHaveValueAsync(Prompt);
        await page.Tab.Locator("#prompt").FillAsync("Tom & his\ndog");
        await page.Tab.GetByText("Sampling", new() { Exact = false }).First.ClickAsync();
        await page.Tab.GetByLabel("Temperature").FillAsync("0.5");
        await page.Tab.Locator("#strength").PressAsync("Home");
        await page.AddressAsync("strength=-0.5.*temperature=0.5");
        await using var other = await chromium.OpenAsync(stories.Address, new Uri(page.Tab.Url).Fragment[1..]);
        await Expect(other.Tab.Locator("#prompt")).ToHaveValueAsync("Tom & his\ndog");
        await Expect(other.Tab.Locator("#temperature")).ToHaveValueAsync("0.5");
        await Expect(other.Tab.Locator("#strength")).ToHaveValueAsync("-0.5");
    }

    [Theory]
    [InlineData("curl", "/usr/bin/curl")]
    [InlineData("JavaScript", "/usr/bin/node")]
    public async Task Code_that_is_copied_gives_the_text_that_the_page_shows(string language, string program)
    {
        Assert.SkipUnless(File.Exists(program) && File.Exists("/bin/bash"), $"needs bash and {program}, which are not there");
        await using var page = await chromium.OpenAsync(stories.Address, Link + "&strength=0.5");
        await page.Button("Copy as code").ClickAsync();
        await page.Button(language).ClickAsync();
        await page.Button("Copy").ClickAsync();
        await Expect(page.Tab.GetByText("Copied.")).ToBeVisibleAsync();
        using var folder = new TemporaryFolder();
        var file = folder.Write("code.mjs", await page.Tab.EvaluateAsync<string>("navigator.clipboard.readText()"));
        using var process = Process.Start(new ProcessStartInfo(language == "curl" ? "/bin/bash" : program, [file])
        {
            RedirectStandardOutput = true,
        })!;
        var output = await process.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken);
        if (language == "curl") output = string.Concat(new Reply(200, output, new Dictionary<string, string>()).Events()
            .Select(chunk => chunk.GetProperty("choices")[0].GetProperty("text").GetString()));
        Assert.Equal(await TextAsync(0.5), output);
    }

    [Fact]
    public async Task What_the_server_refuses_is_said_as_the_server_says_it()
    {
        await using var page = await chromium.OpenAsync(stories.Address, "write?prompt=a&max_tokens=40&temperature=-1");
        page.ExpectedFaults = new("400 \\(Bad Request\\)");
        await page.Button("Stream").ClickAsync();
        var refused = await stories.Server.CompleteAsync("""{"prompt": "a", "temperature": -1}""");
        await Expect(page.Tab.Locator("#notice")).ToHaveTextAsync(refused.Error.GetProperty("message").GetString()!);
    }
}
