using DeRa.Testing;
using Xunit;

namespace DeRa.Torch.Tests;

public class PairFoldersTests
{
    [Fact]
    public void The_default_pair_lies_beside_the_program_and_is_chosen_where_none_is_named()
    {
        using var program = new TemporaryFolder();
        var folder = Path.Combine(program.Path, "models", "default");
        var missing = Assert.Throws<FormatException>(() => PairFolders.Choose(null, null, program.Path)).Message;
        Assert.Contains(folder, missing, StringComparison.Ordinal);
        Assert.Contains("--reference and --aligned", missing, StringComparison.Ordinal);
        Directory.CreateDirectory(Path.Combine(folder, "reference"));
        Assert.Throws<FormatException>(() => PairFolders.Choose(null, null, program.Path));
        Directory.CreateDirectory(Path.Combine(folder, "aligned"));
        var expected = new PairFolders(Path.Combine(folder, "reference"), Path.Combine(folder, "aligned"));
        Assert.Equal(expected, PairFolders.Choose(null, null, program.Path));
    }

    [Fact]
    public void Folders_that_are_named_are_taken_as_they_are() =>
        Assert.Equal(new PairFolders("sft", "rlhf"), PairFolders.Choose("sft", "rlhf"));

    [Theory]
    [InlineData("sft", null, "--reference is given without --aligned")]
    [InlineData(null, "rlhf", "--aligned is given without --reference")]
    public void One_folder_alone_is_refused(string? reference, string? aligned, string message)
    {
        var fault = Assert.Throws<FormatException>(() => PairFolders.Choose(reference, aligned));
        Assert.StartsWith(message, fault.Message, StringComparison.Ordinal);
    }
}
