using DeRa.Testing;
using DeRa.Testing.Hub;
using Xunit;

namespace DeRa.Hub.Tests;

/// <summary>What a user means as a folder and is none is told so, and no Hub is asked for it.</summary>
public class MissingFolderTests
{
    [Theory]
    [InlineData("./model")]
    [InlineData("../org/model")]
    [InlineData("/data/org/model")]
    [InlineData("~/model")]
    [InlineData("a/b/c")]
    [InlineData("org/model/")]
    [InlineData("org\\model")]
    [InlineData("C:\\models")]
    [InlineData("C:/models")]
    [InlineData(".")]
    public async Task A_path_is_a_missing_folder(string text)
    {
        await using var fixture = new HubFixture();
        // "." is one wherever a test runs.
        var refused = text == "." ? HubName.Problem(text)! : await fixture.FailureAsync(text);
        Assert.StartsWith($"there is no folder '{text}'", refused);
        Assert.Empty(fixture.Hub.HubRequests);
    }

    [Fact]
    public async Task A_name_whose_first_part_is_a_folder_here_is_a_missing_folder_unless_a_revision_says_otherwise()
    {
        // A name of its own: other tests ask for org/model meanwhile.
        await using var fixture = new HubFixture(FakeHub.WithModel("nearby/model"));
        var parent = Directory.CreateDirectory("nearby");
        try
        {
            Assert.Equal(
                "there is no folder 'nearby/model', though 'nearby' is one here. If a model on the Hub is meant, write nearby/model@main.",
                await fixture.FailureAsync("nearby/model"));
            Assert.Empty(fixture.Hub.HubRequests);
            Assert.EndsWith(FakeHub.Commit, await fixture.ResolveAsync("nearby/model@main"), StringComparison.Ordinal);
        }
        finally
        {
            parent.Delete();
        }
    }

    [Fact]
    public async Task A_file_is_no_folder()
    {
        await using var fixture = new HubFixture();
        using var folder = new TemporaryFolder();
        var file = folder.Write("model.safetensors", "");
        Assert.StartsWith($"'{file}' is a file; a model is a folder", await fixture.FailureAsync(file));
        Assert.Empty(fixture.Hub.HubRequests);
    }
}
