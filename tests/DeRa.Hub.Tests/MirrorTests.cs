using System.Text.Json.Nodes;
using DeRa.Testing.Hub;
using Microsoft.AspNetCore.Http;
using Xunit;

namespace DeRa.Hub.Tests;

/// <summary>
/// Mirrors and artifact proxies answer a little less than the Hub does, each something else: what suffices to know a file whole
/// is taken.
/// </summary>
public class MirrorTests
{
    private const string Weights = "model.safetensors";
    private static readonly string[] s_files = ["config.json", "tokenizer.json", Weights];

    /// <summary>Downloads, and checks that all files are what the Hub has, whatever they are called.</summary>
    private static async Task AssertWholeAsync(HubFixture fixture)
    {
        var folder = await fixture.ResolveAsync();
        foreach (var file in s_files)
            Assert.Equal(fixture.Hub[file],
                await File.ReadAllBytesAsync(Path.Combine(folder, file), TestContext.Current.CancellationToken));
    }

    private static Func<JsonObject, JsonObject> Without(params string[] fields) => listing =>
    {
        foreach (var field in fields) listing.Remove(field);
        foreach (var sibling in listing["siblings"]!.AsArray())
            foreach (var field in fields) sibling!.AsObject().Remove(field);
        return listing;
    };

    /// <summary>A mirror that sends all files itself, and whose listing has their names alone.</summary>
    private static HubFixture Mirror()
    {
        var fixture = new HubFixture();
        fixture.Hub.HasLargeFiles = true;
        fixture.Hub.Listing = Without("size", "blobId", "lfs");
        return fixture;
    }

    private static Action<HttpContext> Strip(params string[] headers) => context =>
    {
        foreach (var header in headers) context.Response.Headers.Remove(header);
    };

    [Fact]
    public async Task A_listing_without_the_large_files_own_checksum_has_their_pointers()
    {
        await using var fixture = new HubFixture();
        fixture.Hub.Listing = Without("lfs");
        await AssertWholeAsync(fixture);
        Assert.DoesNotContain(fixture.Hub.HubRequests, request => request.Method == "HEAD");
    }

    [Fact]
    public async Task What_does_not_match_a_pointer_is_refused_all_the_same()
    {
        await using var fixture = new HubFixture();
        fixture.Hub.Listing = Without("lfs");
        fixture.Hub.Next(FakeHub.InStorage(Weights),
            context => context.Response.Body.WriteAsync(FakeHub.Content(300_000, seed: 2)).AsTask(), times: 2);
        Assert.Contains("checksum", await fixture.FailureAsync());
    }

    [Theory]
    [InlineData("{0}", false)]
    [InlineData("\"{0}\"", false)]
    [InlineData("W/\"{0}\"", false)]
    [InlineData("\"{0}-gzip\"", false)]
    [InlineData("\"{0};gzip\"", false)]
    [InlineData("\"{{SHA1{{{0}}}}}\"", true)]
    [InlineData("\"{0}\"", true)]
    public async Task A_checksum_is_found_in_a_proxys_tag(string tag, bool isPlainSha1)
    {
        await using var fixture = Mirror();
        fixture.Hub.Altering = context => context.Response.Headers.ETag = Tag(context);
        await AssertWholeAsync(fixture);
        Assert.Equal(0, Unchecked(fixture));
        // And it is checked.
        Directory.Delete(fixture.ModelFolder, recursive: true);
        fixture.Hub.Next("config.json", context => Task.CompletedTask);
        fixture.Hub.Next("config.json",
            context => context.Response.Body.WriteAsync(new byte[fixture.Hub["config.json"].Length]).AsTask(), times: 2);
        Assert.Contains("checksum", await fixture.FailureAsync());

        string Tag(HttpContext context)
        {
            var file = context.Request.Path.Value!.Split('/')[^1];
            if (!s_files.Contains(file)) return "\"listing\"";
            return string.Format(System.Globalization.CultureInfo.InvariantCulture, tag,
                isPlainSha1 ? fixture.Hub.Sha1Of(file) : fixture.Hub.EtagOf(file));
        }
    }

    private static int Unchecked(HubFixture fixture) =>
        Directory.GetFiles(Path.Combine(fixture.ModelFolder, "blobs"), "unchecked-*").Length;

    [Fact]
    public async Task An_artifact_proxys_checksum_headers_are_read()
    {
        await using var fixture = Mirror();
        fixture.Hub.Altering = context =>
        {
            context.Response.Headers.Remove("ETag");
            if (context.Request.Path.Value!.Split('/')[^1] is var file && !s_files.Contains(file)) return;
            context.Response.Headers[file == Weights ? "X-Checksum-Sha256" : "X-Checksum-Sha1"] =
                file == Weights ? fixture.Hub.EtagOf(file) : fixture.Hub.Sha1Of(file);
        };
        await AssertWholeAsync(fixture);
        Assert.True(File.Exists(fixture.Blob(Weights)));
        Assert.Equal(0, Unchecked(fixture));
    }

    [Theory]
    [InlineData("ETag")]
    [InlineData("ETag", "X-Repo-Commit")]
    public async Task A_length_alone_tells_whether_a_file_is_whole(params string[] stripped)
    {
        await using var fixture = Mirror();
        fixture.Hub.Altering = Strip(stripped);
        fixture.Hub.Next(Weights, context => { context.Response.ContentLength = 300_000; return Task.CompletedTask; });
        fixture.Hub.Next(Weights, context => context.Response.Body.WriteAsync(FakeHub.Content(299_999)).AsTask());
        await AssertWholeAsync(fixture);
        Assert.Equal(s_files.Length, Unchecked(fixture));
        fixture.Hub.HubRequests.Clear();
        await fixture.ResolveAsync();
        Assert.DoesNotContain(fixture.Hub.HubRequests, request => request.Method == "GET" && request.Path != "listing");
    }

    [Fact]
    public async Task A_tag_that_is_no_checksum_is_none()
    {
        await using var fixture = Mirror();
        fixture.Hub.Altering = context => context.Response.Headers.ETag = "\"686897696a7c876b7e-2\"";
        await AssertWholeAsync(fixture);
        Assert.Equal(s_files.Length, Unchecked(fixture));
    }

    [Fact]
    public async Task A_checksum_alone_tells_whether_a_file_is_whole()
    {
        await using var fixture = Mirror();
        // Without a length Kestrel sends pieces.
        fixture.Hub.Altering = Strip("Content-Length");
        var reports = new List<DownloadProgress>();
        fixture.Arrivals.Heard = reports.Add;
        await AssertWholeAsync(fixture);
        Assert.Equal(0, Unchecked(fixture));
        Assert.Equal(s_files.Order(),
            reports.Where(report => report.FileBytes == report.FileTotalBytes).Select(report => report.File).Order());
        Assert.Equal(reports[^1].TotalBytes, reports[^1].DownloadedBytes);
    }

    [Fact]
    public async Task Of_a_file_of_unknown_length_a_beginning_is_not_gone_on_from()
    {
        await using var fixture = Mirror();
        fixture.Hub.Altering = Strip("Content-Length");
        fixture.LeaveIncomplete(Weights, FakeHub.Content(5000, seed: 9));
        await AssertWholeAsync(fixture);
        Assert.All(fixture.Hub.HubRequests, request => Assert.Null(request.Range));
    }

    [Fact]
    public async Task Where_nothing_tells_when_a_file_is_whole_it_is_refused()
    {
        await using var fixture = Mirror();
        fixture.Hub.Altering = Strip("Content-Length", "ETag");
        Assert.Contains("neither length nor checksum of config.json", await fixture.FailureAsync());
    }

    [Theory]
    [InlineData(405)]
    [InlineData(403)]
    [InlineData(501)]
    public async Task A_server_that_answers_no_HEAD_is_asked_with_a_GET(int status)
    {
        await using var fixture = new HubFixture();
        fixture.Hub.Listing = Without("size", "blobId", "lfs");
        fixture.Hub.RefusesHeads = status;
        await AssertWholeAsync(fixture);
        Assert.Equal(0, Unchecked(fixture));
    }

    [Fact]
    public async Task A_mirror_that_redirects_to_another_Hub_has_that_ones_checksums()
    {
        await using var fixture = new HubFixture();
        await using var mirror = FakeHub.WithModel();
        mirror.Listing = Without("size", "blobId", "lfs");
        foreach (var file in s_files)
            mirror.NextStatus(file, 308, times: 2, ("Location", $"{fixture.Hub.Address}org/model/resolve/{FakeHub.Commit}/{file}"));
        using var models = new HubModels(
            new HubOptions { Endpoint = mirror.Address, CacheFolder = fixture.Cache, Token = "hf_secret" }, fixture.Time);
        var folder = await models.ResolveAsync("org/model", cancellation: TestContext.Current.CancellationToken);
        Assert.Equal(fixture.Hub[Weights],
            await File.ReadAllBytesAsync(Path.Combine(folder, Weights), TestContext.Current.CancellationToken));
        Assert.True(File.Exists(fixture.Blob(Weights)));
        Assert.All(fixture.Hub.HubRequests, request => Assert.Null(request.Authorization));
    }

    [Fact]
    public async Task Storages_tags_are_no_checksums()
    {
        await using var fixture = new HubFixture();
        fixture.Hub.Listing = Without("size", "blobId", "lfs");
        fixture.Hub.Altering = Strip("X-Linked-Etag");
        // As the Hub's own storage answers: 64 digits that are no SHA-256 of the content.
        fixture.Hub.NextStatus(FakeHub.InStorage(Weights), 200,
            headers: [("ETag", $"\"{new string('b', 64)}\""), ("Content-Length", "300000")]);
        await AssertWholeAsync(fixture);
        Assert.Equal(1, Unchecked(fixture));
    }

    [Fact]
    public async Task Storage_that_refuses_a_HEAD_takes_nothing_away()
    {
        await using var fixture = new HubFixture();
        fixture.Hub.Listing = Without("size", "blobId", "lfs");
        fixture.Hub.Altering = Strip("X-Linked-Etag");
        fixture.Hub.NextStatus(FakeHub.InStorage(Weights), 403);
        await AssertWholeAsync(fixture);
        Assert.Equal(1, Unchecked(fixture));
        Assert.Empty(fixture.Time.Waits);
    }

    [Fact]
    public async Task A_server_that_compresses_unasked_is_read()
    {
        await using var fixture = new HubFixture();
        (fixture.Hub.HasLargeFiles, fixture.Hub.Compresses) = (true, true);
        await AssertWholeAsync(fixture);
        Assert.True(File.Exists(fixture.Blob(Weights)));
    }

    [Fact]
    public async Task A_compressed_files_length_is_not_the_files()
    {
        await using var fixture = new HubFixture();
        (fixture.Hub.HasLargeFiles, fixture.Hub.Compresses) = (true, true);
        fixture.Hub.Listing = Without("size", "blobId", "lfs");
        await AssertWholeAsync(fixture);
    }

    [Fact]
    public async Task A_compression_that_is_not_known_is_named()
    {
        await using var fixture = new HubFixture();
        fixture.Hub.Altering = context => context.Response.Headers.ContentEncoding = "zstd";
        Assert.Contains("content encoding 'zstd'", await fixture.FailureAsync());
    }

    [Fact]
    public async Task A_server_that_ignores_ranges_is_read_from_the_start_each_time()
    {
        await using var fixture = new HubFixture();
        (fixture.Hub.HasLargeFiles, fixture.Hub.IgnoresRanges) = (true, true);
        fixture.LeaveIncomplete(Weights, fixture.Hub[Weights].AsSpan(0, 1234));
        await AssertWholeAsync(fixture);
    }

    [Theory]
    [InlineData("sha")]
    [InlineData("sha", "size", "blobId", "lfs")]
    public async Task A_commit_that_the_listing_leaves_out_comes_with_the_files(params string[] fields)
    {
        await using var fixture = new HubFixture();
        fixture.Hub.Listing = Without(fields);
        await AssertWholeAsync(fixture);
        Assert.Equal(fixture.Snapshot, await fixture.ResolveAsync());
        Assert.Equal(fixture.Snapshot, await fixture.ResolveAsync(offline: true));
    }

    [Fact]
    public async Task A_commit_that_could_leave_the_cache_is_none()
    {
        await using var fixture = new HubFixture();
        fixture.Hub.Listing = listing => { listing["sha"] = "../../../etc"; return listing; };
        Assert.Equal(fixture.Snapshot, await fixture.ResolveAsync());
    }

    [Theory]
    [InlineData("sha")]
    [InlineData("sha", "size", "blobId", "lfs")]
    public async Task Without_any_commit_the_files_themselves_name_the_snapshot(params string[] fields)
    {
        await using var fixture = new HubFixture();
        fixture.Hub.Listing = Without(fields);
        fixture.Hub.Altering = Strip("X-Repo-Commit");
        await AssertWholeAsync(fixture);
        var before = await fixture.ResolveAsync();
        Assert.Equal(before, await fixture.ResolveAsync(offline: true));
        // Other weights of the same length under the same names.
        fixture.Hub.AddLarge(Weights, FakeHub.Content(300_000, seed: 7));
        await AssertWholeAsync(fixture);
        Assert.NotEqual(before, await fixture.ResolveAsync());
    }

    [Fact]
    public async Task A_tag_that_changes_with_every_answer_does_not_rename_the_snapshot()
    {
        await using var fixture = new HubFixture();
        fixture.Hub.Listing = Without("sha");
        var answers = 0;
        fixture.Hub.Altering = context =>
        {
            context.Response.Headers.Remove("X-Repo-Commit");
            context.Response.Headers.ETag = $"\"{Interlocked.Increment(ref answers)}\"";
        };
        await AssertWholeAsync(fixture);
        Assert.Equal(await fixture.ResolveAsync(), await fixture.ResolveAsync());
    }

    [Fact]
    public async Task Redirects_relative_to_a_proxys_path_are_followed_with_their_query()
    {
        await using var fixture = new HubFixture();
        fixture.Hub.NextStatus("config.json", 307, headers: ("Location", $"../../resolve/{FakeHub.Commit}/config.json?etag=1"));
        fixture.Hub.NextStatus("tokenizer.json", 307, headers: ("Location", $"/org/model/resolve/{FakeHub.Commit}/tokenizer.json"));
        await AssertWholeAsync(fixture);
    }
}
