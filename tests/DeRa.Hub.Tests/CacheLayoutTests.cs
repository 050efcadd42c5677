using System.Text.Json;
using DeRa.Testing.Hub;
using Xunit;

namespace DeRa.Hub.Tests;

public class CacheLayoutTests
{
    [Fact]
    public async Task A_model_lies_in_the_cache_as_Python_lays_it_out()
    {
        await using var fixture = new HubFixture();
        var folder = await fixture.ResolveAsync();
        Assert.Equal(fixture.Snapshot, folder);
        foreach (var file in (string[])["config.json", "tokenizer.json", "model.safetensors"])
        {
            var path = Path.Combine(folder, file);
            Assert.Equal($"../../blobs/{fixture.Hub.EtagOf(file)}", new FileInfo(path).LinkTarget?.Replace('\\', '/'));
            Assert.Equal(fixture.Hub[file], await File.ReadAllBytesAsync(path, TestContext.Current.CancellationToken));
        }
        Assert.Equal(FakeHub.Commit, await File.ReadAllTextAsync(
            Path.Combine(fixture.ModelFolder, "refs", "main"), TestContext.Current.CancellationToken));
        Assert.Equal(3, Directory.GetFiles(Path.Combine(fixture.ModelFolder, "blobs")).Length);
        Assert.True(File.Exists(Path.Combine(
            fixture.Cache, ".locks", "models--org--model", fixture.Hub.EtagOf("model.safetensors") + ".lock")));
    }

    [Fact]
    public async Task What_is_in_the_cache_is_not_downloaded_again()
    {
        await using var fixture = new HubFixture();
        await fixture.ResolveAsync();
        fixture.Hub.HubRequests.Clear();
        Assert.Equal(fixture.Snapshot, await fixture.ResolveAsync());
        Assert.Equal("listing", Assert.Single(fixture.Hub.HubRequests).Path);
    }

    [Fact]
    public async Task A_blob_that_another_snapshot_has_is_linked_and_not_downloaded()
    {
        await using var fixture = new HubFixture();
        await fixture.ResolveAsync();
        Directory.Delete(fixture.Snapshot, recursive: true);
        fixture.Hub.HubRequests.Clear();
        await fixture.ResolveAsync();
        Assert.Equal("listing", Assert.Single(fixture.Hub.HubRequests).Path);
        Assert.True(File.Exists(fixture.Blob("model.safetensors")));
    }

    [Fact]
    public async Task A_link_to_a_blob_that_is_gone_is_mended()
    {
        await using var fixture = new HubFixture();
        var folder = await fixture.ResolveAsync();
        File.Delete(fixture.Blob("model.safetensors"));
        await fixture.ResolveAsync();
        Assert.Equal(fixture.Hub["model.safetensors"],
            await File.ReadAllBytesAsync(Path.Combine(folder, "model.safetensors"), TestContext.Current.CancellationToken));
    }

    [Fact]
    public async Task A_file_without_a_link_as_on_systems_that_have_none_is_reused()
    {
        await using var fixture = new HubFixture();
        Directory.CreateDirectory(fixture.Snapshot);
        await File.WriteAllBytesAsync(Path.Combine(fixture.Snapshot, "model.safetensors"), fixture.Hub["model.safetensors"],
            TestContext.Current.CancellationToken);
        await fixture.ResolveAsync();
        Assert.Empty(fixture.Hub.StorageRequests);
    }

    [Fact]
    public async Task Only_the_files_that_a_model_needs_are_downloaded()
    {
        await using var fixture = new HubFixture();
        string[] needed = ["generation_config.json", "tokenizer_config.json", "special_tokens_map.json", "chat_template.jinja"];
        string[] others = ["pytorch_model.bin", "README.md", "consolidated.safetensors", "model.gguf", "merges.txt", "onnx/model.onnx"];
        foreach (var file in needed.Concat(others)) fixture.Hub.Add(file, file);
        var folder = await fixture.ResolveAsync();
        Assert.Equal([.. needed.Concat(["config.json", "tokenizer.json", "model.safetensors"]).Order()],
            Directory.GetFiles(folder).Select(Path.GetFileName).Order());
    }

    [Fact]
    public async Task Shards_are_those_that_the_index_names()
    {
        await using var fixture = new HubFixture();
        fixture.Hub.Remove("model.safetensors");
        for (var shard = 1; shard <= 7; shard++) fixture.Hub.AddLarge($"model-{shard}.safetensors", FakeHub.Content(1000, shard));
        var map = Enumerable.Range(1, 6).ToDictionary(shard => $"t{shard}", shard => $"model-{shard}.safetensors");
        fixture.Hub.Add("model.safetensors.index.json", JsonSerializer.Serialize(new { weight_map = map }));
        var folder = await fixture.ResolveAsync();
        Assert.Equal(map.Values, Directory.GetFiles(folder, "model-*").Select(path => Path.GetFileName(path)!).Order());
        Assert.Equal(folder, await fixture.ResolveAsync(offline: true));
    }

    [Fact]
    public async Task An_index_that_was_damaged_in_the_cache_is_mended()
    {
        await using var fixture = new HubFixture();
        fixture.Hub.AddLarge("model-1.safetensors", fixture.Hub["model.safetensors"]);
        fixture.Hub.Remove("model.safetensors");
        fixture.Hub.Add("model.safetensors.index.json", """{"weight_map":{"t":"model-1.safetensors"}}""");
        var index = Path.Combine(await fixture.ResolveAsync(), "model.safetensors.index.json");
        await File.WriteAllTextAsync(fixture.Blob("model.safetensors.index.json"), "{", TestContext.Current.CancellationToken);
        Assert.Contains("lacks model.safetensors.index.json", await fixture.FailureAsync(offline: true));
        await fixture.ResolveAsync();
        Assert.Equal(fixture.Hub["model.safetensors.index.json"],
            await File.ReadAllBytesAsync(index, TestContext.Current.CancellationToken));
    }

    [Theory]
    [InlineData("../../../outside.safetensors")]
    [InlineData("/tmp/outside.safetensors")]
    [InlineData("model-00001.bin")]
    [InlineData("c:outside.safetensors")]
    [InlineData("a\u001b[2J\0.safetensors", "a?[2J?.safetensors")]
    public async Task An_index_that_names_a_file_elsewhere_is_refused(string shard, string? shown = null)
    {
        await using var fixture = new HubFixture();
        fixture.Hub.Remove("model.safetensors");
        fixture.Hub.Add("model.safetensors.index.json", JsonSerializer.Serialize(new { weight_map = new { t = shard } }));
        Assert.Contains($"shard '{shown ?? shard}' is not", await fixture.FailureAsync());
    }

    [Fact]
    public async Task A_shard_that_the_repository_lacks_is_named()
    {
        await using var fixture = new HubFixture();
        fixture.Hub.Remove("model.safetensors");
        fixture.Hub.Add("model.safetensors.index.json", "{\"weight_map\":{\"t\":\"model-1.safetensors\"}}");
        Assert.Contains("has no model-1.safetensors", await fixture.FailureAsync());
    }

    [Fact]
    public async Task An_adapter_is_its_two_files_and_a_tokenizer()
    {
        await using var fixture = new HubFixture();
        fixture.Hub.Remove("config.json");
        fixture.Hub.Remove("model.safetensors");
        fixture.Hub.Add("adapter_config.json", "{}");
        fixture.Hub.AddLarge("adapter_model.safetensors", FakeHub.Content(100));
        var folder = await fixture.ResolveAsync();
        Assert.Equal(["adapter_config.json", "adapter_model.safetensors", "tokenizer.json"],
            Directory.GetFiles(folder).Select(Path.GetFileName).Order());
        Assert.Equal(folder, await fixture.ResolveAsync(offline: true));
    }

    [Fact]
    public async Task Without_weights_only_the_small_files_come_and_no_ref_points_to_half_a_model()
    {
        await using var fixture = new HubFixture();
        var folder = await fixture.Models().ResolveWithoutWeightsAsync("org/model", cancellation: TestContext.Current.CancellationToken);
        Assert.Equal(["config.json", "tokenizer.json"], Directory.GetFiles(folder).Select(Path.GetFileName).Order());
        Assert.False(Directory.Exists(Path.Combine(fixture.ModelFolder, "refs")));
        Assert.Empty(fixture.Hub.StorageRequests);
    }

    [Theory]
    [InlineData("v1.0")]
    [InlineData("refs/pr/1")]
    public async Task A_revision_is_asked_for_and_remembered(string revision)
    {
        await using var fixture = new HubFixture();
        fixture.Hub.Revision = revision;
        Assert.Equal(fixture.Snapshot, await fixture.ResolveAsync("org/model@" + revision));
        Assert.True(File.Exists(Path.Combine(fixture.ModelFolder, "refs", revision)));
        Assert.Equal(fixture.Snapshot, await fixture.ResolveAsync("org/model@" + revision, offline: true));
        Assert.Contains($"'{"org/model"}'", await fixture.FailureAsync(offline: true));
    }

    [Fact]
    public async Task A_commit_needs_no_ref()
    {
        await using var fixture = new HubFixture();
        fixture.Hub.Revision = FakeHub.Commit;
        await fixture.ResolveAsync("org/model@" + FakeHub.Commit);
        Assert.False(Directory.Exists(Path.Combine(fixture.ModelFolder, "refs")));
        Assert.Equal(fixture.Snapshot, await fixture.ResolveAsync("org/model@" + FakeHub.Commit, offline: true));
    }

    [Fact]
    public async Task A_model_without_an_organisation_has_a_folder_of_its_own()
    {
        await using var fixture = new HubFixture(FakeHub.WithModel("gpt2"));
        Assert.Equal(Path.Combine(fixture.Cache, "models--gpt2", "snapshots", FakeHub.Commit), await fixture.ResolveAsync("gpt2"));
    }

    [Fact]
    public async Task A_listing_without_checksums_is_completed_file_by_file()
    {
        await using var fixture = new HubFixture();
        fixture.Hub.Listing = listing =>
        {
            foreach (var sibling in listing["siblings"]!.AsArray())
                foreach (var field in (string[])["size", "blobId", "lfs"]) sibling!.AsObject().Remove(field);
            return listing;
        };
        var folder = await fixture.ResolveAsync();
        Assert.Equal($"../../blobs/{fixture.Hub.EtagOf("model.safetensors")}",
            new FileInfo(Path.Combine(folder, "model.safetensors")).LinkTarget?.Replace('\\', '/'));
        Assert.DoesNotContain(fixture.Hub.StorageRequests, request => request.Method == "HEAD");
    }

    [Fact]
    public async Task A_listing_that_is_none_is_refused()
    {
        await using var fixture = new HubFixture();
        fixture.Hub.Listing = listing => { listing["siblings"] = null; return listing; };
        Assert.Contains("HF_ENDPOINT", await fixture.FailureAsync());
    }

    [Fact]
    public async Task A_weak_checksum_is_the_same_checksum()
    {
        await using var fixture = new HubFixture();
        fixture.Hub.Listing = listing =>
        {
            foreach (var sibling in listing["siblings"]!.AsArray()) sibling!.AsObject().Remove("lfs");
            foreach (var sibling in listing["siblings"]!.AsArray()) sibling!.AsObject().Remove("size");
            return listing;
        };
        fixture.Hub.NextStatus("model.safetensors", 302, headers: [("Location", $"{fixture.Hub.StorageAddress}storage/model.safetensors"),
            ("X-Linked-Etag", $"W/\"{fixture.Hub.EtagOf("model.safetensors")}\""), ("X-Linked-Size", "300000")]);
        await fixture.ResolveAsync();
        Assert.True(File.Exists(fixture.Blob("model.safetensors")));
    }

    [Fact]
    public async Task Lengths_that_no_file_has_are_refused_and_holes_in_the_listing_passed_over()
    {
        await using var fixture = new HubFixture();
        fixture.Hub.Listing = listing =>
        {
            var siblings = listing["siblings"]!.AsArray();
            siblings.Insert(0, null);
            foreach (var sibling in siblings.Where(sibling => sibling is not null)) sibling!["size"] = long.MaxValue;
            return listing;
        };
        // Those of the listing are no use, so each file is asked for its own.
        await fixture.ResolveAsync();
        File.Delete(fixture.Blob("config.json"));
        fixture.Hub.Listing = listing =>
        {
            foreach (var sibling in listing["siblings"]!.AsArray()) (sibling!["size"], sibling["blobId"]) = (long.MaxValue, null);
            return listing;
        };
        fixture.Hub.NextStatus("config.json", 200, times: 2, headers: ("X-Linked-Size", $"{long.MaxValue}"));
        Assert.Contains("neither length nor checksum of config.json", await fixture.FailureAsync());
    }
}
