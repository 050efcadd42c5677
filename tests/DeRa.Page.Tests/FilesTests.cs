using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.RegularExpressions;
using DeRa.Server.Http.Page;
using DeRa.Testing.Server;
using Xunit;

namespace DeRa.Page.Tests;

public partial class FilesTests
{
    private const int MostBytes = 200_000;

    private static string Text(string name) => Encoding.UTF8.GetString(PageFile.All.Single(file => file.Name == name).Content);

    [Fact]
    public void All_files_together_are_small() => Assert.InRange(PageFile.All.Sum(file => file.Content.Length), 1, MostBytes);

    [Fact]
    public void The_page_names_all_its_files_and_needs_no_other()
    {
        var named = Links().Matches(Text(PageFile.Index)).Select(match => match.Groups[1].Value).Where(link => link[0] != '#').ToHashSet();
        Assert.Equal(PageFile.All.Where(file => file.Name != PageFile.Index).Select(file => "page/" + file.Name).Append("docs").Order(),
            named.Order());
        var modules = PageFile.All.Where(file => file.Name.EndsWith(".js", StringComparison.Ordinal)).Select(file => file.Name).ToHashSet();
        foreach (var module in modules)
            Assert.All(Imports().Matches(Text(module)), match => Assert.Contains(match.Groups[1].Value, modules));
    }

    [Fact]
    public void No_file_has_what_the_policy_forbids_or_a_place_elsewhere()
    {
        foreach (var file in PageFile.All)
        {
            var text = Text(file.Name);
            Assert.DoesNotMatch("innerHTML|insertAdjacentHTML|document\\.write|eval\\(|new Function|<style|\\sstyle=|\\son[a-z]+=\"", text);
            Assert.DoesNotMatch("https?://(?!www\\.w3\\.org/2000/svg)", text);
        }
    }

    [Fact]
    public async Task Browsers_get_the_page_and_programs_that_take_no_HTML_what_there_is_to_call()
    {
        await using var server = await ServerFixture.StartAsync();
        foreach (var accept in (string[])["text/html,application/xhtml+xml,*/*;q=0.8", "*/*", "text/*"])
            using (var page = await SendAsync(server, "/", accept))
            {
                Assert.Equal("text/html; charset=utf-8", page.Content.Headers.ContentType!.ToString());
                Assert.Equal(PageEndpoints.ContentSecurityPolicy, page.Headers.GetValues("Content-Security-Policy").Single());
                Assert.DoesNotContain("unsafe", PageEndpoints.ContentSecurityPolicy, StringComparison.Ordinal);
            }
        using var other = await SendAsync(server, "/", "application/json");
        Assert.Equal("/openapi/v1.json", other.RequestMessage!.RequestUri!.AbsolutePath);
        Assert.Equal(HttpStatusCode.OK, other.StatusCode);
    }

    [Fact]
    public async Task A_file_that_a_browser_has_is_not_sent_again()
    {
        await using var server = await ServerFixture.StartAsync();
        foreach (var path in (string[])["/", "/page/app.js", "/page/style.css", "/page/icon.svg"])
        {
            using var first = await SendAsync(server, path, "*/*");
            Assert.True(first.Headers.CacheControl!.NoCache);
            Assert.Equal("nosniff", first.Headers.GetValues("X-Content-Type-Options").Single());
            using var again = await SendAsync(server, path, "*/*", first.Headers.ETag);
            Assert.Equal(HttpStatusCode.NotModified, again.StatusCode);
            Assert.Empty(await again.Content.ReadAsByteArrayAsync(ServerFixture.Stop));
            using var changed = await SendAsync(server, path, "*/*", new EntityTagHeaderValue("\"another\""));
            Assert.Equal(HttpStatusCode.OK, changed.StatusCode);
        }
    }

    private static Task<HttpResponseMessage> SendAsync(
        ServerFixture server, string path, string accept, EntityTagHeaderValue? tag = null)
    {
        var request = new HttpRequestMessage(HttpMethod.Get, path);
        request.Headers.TryAddWithoutValidation("Accept", accept);
        if (tag is not null) request.Headers.IfNoneMatch.Add(tag);
        return server.Http.SendAsync(request, ServerFixture.Stop);
    }

    [GeneratedRegex("(?:href|src)=\"([^\"]*)\"")]
    private static partial Regex Links();

    [GeneratedRegex("from \"\\./([^\"]*)\"")]
    private static partial Regex Imports();
}
