using DeRa.Testing.Hub;
using Microsoft.AspNetCore.Http;
using Xunit;

namespace DeRa.Hub.Tests;

public class MisbehaviourTests
{
    private const string Weights = "model.safetensors";
    private static readonly string s_stored = FakeHub.InStorage(Weights);

    private static async Task AssertWholeAsync(HubFixture fixture)
    {
        Assert.Equal(fixture.Hub[Weights],
            await File.ReadAllBytesAsync(Path.Combine(fixture.Snapshot, Weights), TestContext.Current.CancellationToken));
        Assert.Empty(Directory.GetFiles(Path.Combine(fixture.ModelFolder, "blobs"), "*.incomplete"));
    }

    [Fact]
    public async Task A_cut_download_goes_on_where_it_stopped()
    {
        await using var fixture = new HubFixture();
        fixture.CutAfter(Weights, 100_000);
        fixture.CutAfter(Weights, 50_000);
        await fixture.ResolveAsync();
        Assert.Equal([null, "bytes=100000-", "bytes=150000-"], fixture.Hub.StorageRequests.Select(request => request.Range));
        await AssertWholeAsync(fixture);
    }

    [Fact]
    public async Task Cuts_are_no_bad_luck_while_the_download_grows()
    {
        await using var fixture = new HubFixture(FakeHub.WithModel(weightBytes: 9 << 20));
        fixture.CutAfter(Weights, 1 << 20, times: HubRetries.Most + 3);
        await fixture.ResolveAsync();
        await AssertWholeAsync(fixture);
    }

    [Fact]
    public async Task Cuts_by_a_server_that_begins_again_each_time_are_given_up()
    {
        await using var fixture = new HubFixture(FakeHub.WithModel(weightBytes: 4 << 20));
        fixture.Hub.Next(s_stored, async context =>
        {
            context.Response.ContentLength = fixture.Hub[Weights].Length;
            await context.Response.Body.WriteAsync(fixture.Hub[Weights].AsMemory(0, 3 << 20));
            await context.Response.Body.FlushAsync();
            await fixture.Arrivals.Of(Weights, 3 << 20);
            context.Abort();
        }, times: 3 * HubRetries.Most);
        await fixture.FailureAsync();
        Assert.InRange(fixture.Hub.StorageRequests.Count, HubRetries.Most + 1, HubRetries.Most + 3);
    }

    [Fact]
    public async Task A_download_that_stays_cut_fails_and_a_later_one_goes_on_from_there()
    {
        await using var fixture = new HubFixture();
        fixture.CutAfter(Weights, 1000, times: HubRetries.Most + 1);
        await fixture.FailureAsync();
        fixture.Hub.StorageRequests.Clear();
        await fixture.ResolveAsync();
        Assert.Equal("bytes=6000-", Assert.Single(fixture.Hub.StorageRequests).Range);
        await AssertWholeAsync(fixture);
    }

    [Fact]
    public async Task A_server_that_ignores_ranges_is_read_from_the_start()
    {
        await using var fixture = new HubFixture();
        fixture.LeaveIncomplete(Weights, fixture.Hub[Weights].AsSpan(0, 1234));
        fixture.Hub.Next(s_stored, async context =>
        {
            context.Response.ContentLength = fixture.Hub[Weights].Length;
            await context.Response.Body.WriteAsync(fixture.Hub[Weights]);
        });
        await fixture.ResolveAsync();
        Assert.Equal("bytes=1234-", Assert.Single(fixture.Hub.StorageRequests).Range);
        await AssertWholeAsync(fixture);
    }

    [Theory]
    [InlineData(5_000)]
    [InlineData(300_000)]
    [InlineData(400_000)]
    public async Task A_leftover_that_is_not_the_files_beginning_is_thrown_away(int leftoverBytes)
    {
        await using var fixture = new HubFixture();
        fixture.LeaveIncomplete(Weights, FakeHub.Content(leftoverBytes, seed: 99));
        await fixture.ResolveAsync();
        await AssertWholeAsync(fixture);
    }

    [Fact]
    public async Task A_wrong_checksum_is_fetched_again()
    {
        await using var fixture = new HubFixture();
        fixture.Hub.Next(s_stored, context => context.Response.Body.WriteAsync(FakeHub.Content(300_000, seed: 2)).AsTask());
        await fixture.ResolveAsync();
        await AssertWholeAsync(fixture);
    }

    [Theory]
    [InlineData(Weights, "checksum")]
    [InlineData("config.json", "checksum")]
    public async Task A_checksum_that_stays_wrong_names_the_file_and_leaves_nothing(string file, string problem)
    {
        await using var fixture = new HubFixture();
        var path = file == Weights ? s_stored : file;
        fixture.Hub.Next(path, context => context.Response.Body.WriteAsync(new byte[fixture.Hub[file].Length]).AsTask(), times: 2);
        var message = await fixture.FailureAsync();
        Assert.Contains(file, message);
        Assert.Contains(problem, message);
        Assert.False(File.Exists(fixture.Blob(file)));
        Assert.False(File.Exists(fixture.Blob(file) + ".incomplete"));
        Assert.False(File.Exists(Path.Combine(fixture.Snapshot, file)));
    }

    [Theory]
    [InlineData(299_999, true)]
    [InlineData(299_999, false)]
    [InlineData(300_001, true)]
    [InlineData(300_001, false)]
    public async Task A_wrong_length_is_fetched_again_and_then_named(int length, bool isTold)
    {
        await using var fixture = new HubFixture();
        async Task Serve(HttpContext context)
        {
            if (isTold) context.Response.ContentLength = length;
            await context.Response.Body.WriteAsync(FakeHub.Content(length));
        }
        fixture.Hub.Next(s_stored, Serve);
        await fixture.ResolveAsync();
        await AssertWholeAsync(fixture);
        File.Delete(fixture.Blob(Weights));
        fixture.Hub.Next(s_stored, Serve, times: 2);
        var message = await fixture.FailureAsync();
        Assert.Contains(Weights, message);
        Assert.Contains("300000", message);
        Assert.False(File.Exists(fixture.Blob(Weights) + ".incomplete"));
    }

    [Theory]
    [InlineData(429)]
    [InlineData(503)]
    public async Task Retry_After_is_waited_for(int status)
    {
        await using var fixture = new HubFixture();
        fixture.Hub.NextStatus("listing", status, headers: ("Retry-After", "7"));
        fixture.Hub.NextStatus(s_stored, status, headers: ("Retry-After", "Tue, 01 Jan 2030 12:01:30 GMT"));
        await fixture.ResolveAsync();
        Assert.Equal([TimeSpan.FromSeconds(7), TimeSpan.FromSeconds(90)], fixture.Time.Waits);
    }

    [Fact]
    public async Task The_Hubs_own_rate_limit_header_is_waited_for()
    {
        await using var fixture = new HubFixture();
        fixture.Hub.NextStatus("listing", 429, headers: ("RateLimit", "\"api\";r=0;t=55"));
        await fixture.ResolveAsync();
        Assert.Equal([TimeSpan.FromSeconds(56)], fixture.Time.Waits);
    }

    [Fact]
    public async Task A_server_that_asks_for_an_hour_is_not_waited_for()
    {
        await using var fixture = new HubFixture();
        fixture.Hub.NextStatus("listing", 429, headers: ("Retry-After", "3600"));
        Assert.Contains("3600 s", await fixture.FailureAsync());
        Assert.Empty(fixture.Time.Waits);
    }

    [Fact]
    public async Task Failures_of_the_server_pass()
    {
        await using var fixture = new HubFixture();
        fixture.Hub.NextStatus("listing", 500).NextStatus("listing", 502).NextStatus("config.json", 504).NextStatus(s_stored, 403);
        await fixture.ResolveAsync();
        await AssertWholeAsync(fixture);
        Assert.Equal(4, fixture.Time.Waits.Count);
    }

    [Fact]
    public async Task Failures_that_stay_are_told_after_the_last_retry()
    {
        await using var fixture = new HubFixture();
        fixture.Hub.NextStatus("listing", 500, times: 100);
        Assert.Contains("answered 500", await fixture.FailureAsync());
        Assert.Equal(HubRetries.Most, fixture.Time.Waits.Count);
        Assert.All(fixture.Time.Waits, wait => Assert.InRange(wait, TimeSpan.Zero, TimeSpan.FromSeconds(30)));
    }

    [Fact]
    public async Task A_server_that_falls_silent_is_asked_again()
    {
        await using var fixture = new HubFixture();
        await fixture.Models().ResolveWithoutWeightsAsync("org/model", cancellation: TestContext.Current.CancellationToken);
        fixture.Hub.Next(s_stored, async context =>
        {
            fixture.Time.SilencesLeft = 1;
            await context.Response.Body.WriteAsync(fixture.Hub[Weights].AsMemory(0, 1000));
            await context.Response.Body.FlushAsync();
            await FakeHub.UntilGone(context);
        });
        await fixture.ResolveAsync();
        Assert.Equal(2, fixture.Hub.StorageRequests.Count);
        await AssertWholeAsync(fixture);
    }

    [Fact]
    public async Task A_cancelled_download_can_be_resumed()
    {
        await using var fixture = new HubFixture();
        using var cancel = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        fixture.Hub.Next(s_stored, async context =>
        {
            context.Response.ContentLength = fixture.Hub[Weights].Length;
            await context.Response.Body.WriteAsync(fixture.Hub[Weights].AsMemory(0, 200_000));
            await context.Response.Body.FlushAsync();
            await FakeHub.UntilGone(context);
        });
        fixture.Arrivals.Heard = value => { if (value.File == Weights && value.FileBytes == 200_000) cancel.Cancel(); };
        await Assert.ThrowsAnyAsync<OperationCanceledException>(
            () => fixture.Models().ResolveAsync("org/model", null, fixture.Arrivals, cancel.Token));
        fixture.Hub.StorageRequests.Clear();
        await fixture.ResolveAsync();
        Assert.Equal("bytes=200000-", Assert.Single(fixture.Hub.StorageRequests).Range);
        await AssertWholeAsync(fixture);
    }

    [Fact]
    public async Task Two_downloads_of_the_same_model_at_once_fetch_each_file_once()
    {
        await using var fixture = new HubFixture();
        // Two HubModels: two processes look the same, since the lock belongs to an opened file.
        await Task.WhenAll(fixture.ResolveAsync(), fixture.ResolveAsync());
        Assert.Single(fixture.Hub.StorageRequests);
        Assert.Equal(2, fixture.Hub.HubRequests.Count(request => request.Path is "config.json" or "tokenizer.json"));
        await AssertWholeAsync(fixture);
    }

    [Fact]
    public async Task A_file_that_another_process_downloads_is_waited_for()
    {
        await using var fixture = new HubFixture();
        var lockPath = Path.Combine(fixture.Cache, ".locks", "models--org--model", fixture.Hub.EtagOf(Weights) + ".lock");
        Directory.CreateDirectory(Path.GetDirectoryName(lockPath)!);
        var taken = new FileStream(lockPath, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
        fixture.Time.Waiting = () =>
        {
            Directory.CreateDirectory(Path.GetDirectoryName(fixture.Blob(Weights))!);
            File.WriteAllBytes(fixture.Blob(Weights), fixture.Hub[Weights]);
            taken.Dispose();
        };
        await fixture.ResolveAsync();
        Assert.NotEmpty(fixture.Time.Waits);
        Assert.Empty(fixture.Hub.StorageRequests);
        await AssertWholeAsync(fixture);
    }

    [Fact]
    public async Task A_disk_without_room_is_named_before_anything_is_downloaded()
    {
        await using var fixture = new HubFixture();
        var refused = await Assert.ThrowsAsync<HubException>(() => fixture.Models(freeBytes: 300_000)
            .ResolveAsync("org/model", cancellation: TestContext.Current.CancellationToken));
        Assert.Contains(fixture.Cache, refused.Message);
        Assert.Equal("listing", Assert.Single(fixture.Hub.HubRequests).Path);
        fixture.LeaveIncomplete(Weights, fixture.Hub[Weights].AsSpan(0, 1000));
        await fixture.Models(freeBytes: 300_000).ResolveAsync("org/model", cancellation: TestContext.Current.CancellationToken);
    }

    [Fact]
    public async Task Progress_adds_up_to_the_whole()
    {
        await using var fixture = new HubFixture();
        fixture.CutAfter(Weights, 100_000);
        var reports = new List<DownloadProgress>();
        fixture.Arrivals.Heard = reports.Add;
        await fixture.ResolveAsync();
        var total = fixture.Hub["config.json"].Length + fixture.Hub["tokenizer.json"].Length + fixture.Hub[Weights].Length;
        Assert.All(reports, report => Assert.Equal(total, report.TotalBytes));
        Assert.Equal(total, reports.Max(report => report.DownloadedBytes));
        Assert.Contains(reports, report => report is { File: Weights, FileBytes: 100_000, FileTotalBytes: 300_000, Model: "org/model" });
    }

    [Fact]
    public async Task Progress_knows_of_the_shards_from_the_first_byte_and_never_goes_back()
    {
        await using var fixture = new HubFixture();
        fixture.Hub.Remove(Weights);
        for (var shard = 1; shard <= 3; shard++) fixture.Hub.AddLarge($"model-{shard}.safetensors", FakeHub.Content(100_000, shard));
        fixture.Hub.Add("model.safetensors.index.json",
            """{"weight_map":{"a":"model-1.safetensors","b":"model-2.safetensors","c":"model-3.safetensors"}}""");
        var reports = new List<DownloadProgress>();
        fixture.Arrivals.Heard = reports.Add;
        await fixture.ResolveAsync();
        Assert.True(Assert.Single(reports.Select(report => report.TotalBytes).Distinct()) > 300_000);
        Assert.Equal(reports.Select(report => report.DownloadedBytes).Order(), reports.Select(report => report.DownloadedBytes));
        Assert.Equal(reports[^1].TotalBytes, reports[^1].DownloadedBytes);
    }
}
