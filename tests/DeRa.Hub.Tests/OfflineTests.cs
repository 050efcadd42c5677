using DeRa.Testing.Hub;
using Xunit;

namespace DeRa.Hub.Tests;

public class OfflineTests
{
    [Fact]
    public async Task Offline_the_cache_serves_and_nobody_is_asked()
    {
        await using var fixture = new HubFixture();
        await fixture.ResolveAsync();
        fixture.Hub.HubRequests.Clear();
        Assert.Equal(fixture.Snapshot, await fixture.ResolveAsync(offline: true));
        Assert.Empty(fixture.Hub.HubRequests);
    }

    [Theory]
    [InlineData("config.json")]
    [InlineData("tokenizer.json")]
    [InlineData("model.safetensors")]
    public async Task Offline_what_is_missing_is_named(string file)
    {
        await using var fixture = new HubFixture();
        await fixture.ResolveAsync();
        File.Delete(fixture.Blob(file));
        var message = await fixture.FailureAsync(offline: true);
        Assert.Contains($"lacks {file} in ", message);
        Assert.Contains("HF_HUB_OFFLINE", message);
    }

    [Fact]
    public async Task Offline_a_model_that_is_not_there_is_named()
    {
        await using var fixture = new HubFixture();
        var message = await fixture.FailureAsync("org/other@v2", offline: true);
        Assert.Contains("'org/other@v2'", message);
        Assert.Contains("dera pull org/other@v2", message);
    }

    [Fact]
    public async Task A_cache_that_Python_wrote_is_used()
    {
        await using var fixture = new HubFixture();
        // As snapshot_download leaves it: no newline after the commit, relative links, other files too.
        Directory.CreateDirectory(Path.Combine(fixture.ModelFolder, "blobs"));
        Directory.CreateDirectory(Path.Combine(fixture.ModelFolder, "refs"));
        Directory.CreateDirectory(fixture.Snapshot);
        var reference = Path.Combine(fixture.ModelFolder, "refs", "main");
        await File.WriteAllTextAsync(reference, FakeHub.Commit, TestContext.Current.CancellationToken);
        foreach (var file in (string[])["config.json", "tokenizer.json", "model.safetensors"])
        {
            await File.WriteAllBytesAsync(fixture.Blob(file), fixture.Hub[file], TestContext.Current.CancellationToken);
            File.CreateSymbolicLink(Path.Combine(fixture.Snapshot, file), $"../../blobs/{fixture.Hub.EtagOf(file)}");
        }
        Assert.Equal(fixture.Snapshot, await fixture.ResolveAsync(offline: true));
        Assert.Equal(fixture.Snapshot, await fixture.ResolveAsync());
        Assert.Equal("listing", Assert.Single(fixture.Hub.HubRequests).Path);
    }

    [Fact]
    public async Task A_Hub_that_does_not_answer_leaves_the_cache_to_serve_without_waiting()
    {
        await using var fixture = new HubFixture();
        await fixture.ResolveAsync();
        fixture.Hub.NextStatus("listing", 503, times: 100);
        Assert.Equal(fixture.Snapshot, await fixture.ResolveAsync());
        Assert.Empty(fixture.Time.Waits);
    }

    [Fact]
    public async Task A_refusal_is_no_outage()
    {
        await using var fixture = new HubFixture();
        await fixture.ResolveAsync();
        fixture.Hub.NextStatus("listing", 403);
        Assert.Contains("HF_TOKEN", await fixture.FailureAsync());
    }

    [Fact]
    public async Task A_folder_wins_over_the_Hub()
    {
        await using var fixture = new HubFixture();
        var folder = Directory.CreateDirectory(Path.Combine(fixture.Cache, "a-folder@1")).FullName;
        Assert.Equal(folder, await fixture.ResolveAsync(folder));
        Assert.Empty(fixture.Hub.HubRequests);
    }

    [Theory]
    [InlineData("a--b/c")]
    [InlineData("a/b.git")]
    [InlineData("org/mödel")]
    [InlineData("")]
    [InlineData("org/model\n")]
    public async Task What_is_neither_a_folder_nor_a_name_is_told(string text)
    {
        await using var fixture = new HubFixture();
        Assert.Contains("is neither a folder here nor a model's name", await fixture.FailureAsync(text));
        Assert.Empty(fixture.Hub.HubRequests);
    }

    [Theory]
    [InlineData("org/model@")]
    [InlineData("org/model@../../etc")]
    [InlineData("org/model@/v1")]
    [InlineData("org/model@v1/")]
    [InlineData("org/model@v 1")]
    [InlineData("org/model@v1@v2")]
    public async Task What_is_no_revision_is_told(string text)
    {
        await using var fixture = new HubFixture();
        Assert.Contains("is not a revision", await fixture.FailureAsync(text));
        Assert.Empty(fixture.Hub.HubRequests);
    }

    [Fact]
    public async Task Two_revisions_are_one_too_many()
    {
        await using var fixture = new HubFixture();
        var refused = await Assert.ThrowsAsync<HubException>(() => fixture.Models().ResolveAsync(
            "org/model@v1", "v2", cancellation: TestContext.Current.CancellationToken));
        Assert.Contains("give one", refused.Message);
    }
}
