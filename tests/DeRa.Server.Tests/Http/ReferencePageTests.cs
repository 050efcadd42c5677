using System.Diagnostics;
using System.Net;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;
using DeRa.Server.Http.ApiReference;
using DeRa.Server.Http.Wire;
using Xunit;

namespace DeRa.Server.Tests.Http;

public partial class ReferencePageTests
{
    private const string Bash = "/bin/bash";

    [Fact]
    public async Task The_page_needs_nothing_but_itself()
    {
        await using var server = await ServerFixture.StartAsync();
        var page = await server.GetAsync("/docs");
        Assert.Equal((200, "text/html; charset=utf-8", "nosniff"), (page.Status, page.Headers["Content-Type"],
            page.Headers["X-Content-Type-Options"]));
        var style = Style().Match(page.Body).Groups[1].Value;
        var hash = Convert.ToBase64String(SHA256.HashData(Encoding.UTF8.GetBytes(style)));
        Assert.Equal($"default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; style-src 'sha256-{hash}'",
            page.Headers["Content-Security-Policy"]);
        Assert.DoesNotContain("<script", page.Body, StringComparison.OrdinalIgnoreCase);
        Assert.DoesNotContain(" style=", page.Body, StringComparison.OrdinalIgnoreCase);
        Assert.All(Links().Matches(page.Body).Select(link => link.Groups[1].Value), link => Assert.True(link[0] is '#' or '/', link));
    }

    [Fact]
    public async Task Every_field_is_on_the_page()
    {
        await using var server = await ServerFixture.StartAsync();
        var page = (await server.GetAsync("/docs")).Body;
        Assert.All(CompletionRequestReader.Table.Read.Union(ChatRequestReader.Table.Read),
            field => Assert.Contains($"<td><code>{field}</code></td>", page, StringComparison.Ordinal));
    }

    [Fact]
    public async Task What_the_request_says_of_itself_is_encoded()
    {
        await using var server = await ServerFixture.StartAsync();
        var page = ReferencePage.Of(ApiOperations.Of(server.State.Pair!), "http://<b>&\"");
        Assert.Contains("curl -s http://&lt;b&gt;&amp;&quot;/info", page, StringComparison.Ordinal);
        Assert.DoesNotContain("<b>", page, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_examples_work_as_they_stand()
    {
        Assert.SkipUnless(File.Exists(Bash) && File.Exists("/usr/bin/curl"), "needs bash and curl, which are not there");
        await using var server = await ServerFixture.StartAsync(Scripts.Saying("hi"));
        var examples = Examples().Matches((await server.GetAsync("/docs")).Body).Select(match =>
            WebUtility.HtmlDecode(match.Groups[1].Value)).ToList();
        Assert.True(examples.Count(example => example.Contains("-d '", StringComparison.Ordinal)) >= 5, string.Join('\n', examples));
        foreach (var example in examples) AssertServed(example, await RunAsync(example));
    }

    private static void AssertServed(string example, string output)
    {
        // These two answer no JSON.
        if (example.EndsWith("/docs", StringComparison.Ordinal) || example.EndsWith("/metrics", StringComparison.Ordinal))
        {
            Assert.NotEmpty(output);
            return;
        }
        if (example.Contains("\"stream\": true", StringComparison.Ordinal))
        {
            Assert.EndsWith("data: [DONE]\n\n", output, StringComparison.Ordinal);
            return;
        }
        using var json = JsonDocument.Parse(output);
        Assert.False(json.RootElement.TryGetProperty("error", out _), example + '\n' + output);
    }

    private static async Task<string> RunAsync(string command)
    {
        var start = new ProcessStartInfo(Bash)
        {
            ArgumentList = { "-c", "unset http_proxy HTTP_PROXY all_proxy ALL_PROXY; " + command },
            RedirectStandardOutput = true
        };
        using var process = Process.Start(start)!;
        var output = await process.StandardOutput.ReadToEndAsync(ServerFixture.Stop);
        await process.WaitForExitAsync(ServerFixture.Stop);
        Assert.True(process.ExitCode == 0, $"{command}\nended with {process.ExitCode}");
        return output;
    }

    [GeneratedRegex("<style>(.*?)</style>", RegexOptions.Singleline)]
    private static partial Regex Style();

    [GeneratedRegex("(?:href|src)=\"([^\"]*)\"")]
    private static partial Regex Links();

    [GeneratedRegex("<pre>(.*?)</pre>", RegexOptions.Singleline)]
    private static partial Regex Examples();
}
