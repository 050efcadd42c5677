using DeRa.Serving.Loading;
using DeRa.Testing;
using DeRa.Torch.Execution;
using Xunit;

namespace DeRa.Serving.Tests.Loading;

public class PairFoldersTests
{
    [Fact]
    public void The_default_pair_lies_beside_the_program_and_is_chosen_where_none_is_named()
    {
        using var program = new TemporaryFolder();
        var folder = Path.Combine(program.Path, "models", "default");
        var missing = Assert.Throws<FormatException>(() => PairFolders.Choose(null, [], program.Path)).Message;
        Assert.Contains(folder, missing, StringComparison.Ordinal);
        Assert.Contains("--reference and --aligned", missing, StringComparison.Ordinal);
        Directory.CreateDirectory(Path.Combine(folder, "reference"));
        Assert.Throws<FormatException>(() => PairFolders.Choose(null, [], program.Path));
        Directory.CreateDirectory(Path.Combine(folder, "aligned"));
        var chosen = PairFolders.Choose(null, [], program.Path);
        Assert.Equal(Path.Combine(folder, "reference"), chosen.Reference);
        Assert.Equal([new AlignedFolder("aligned", Path.Combine(folder, "aligned"))], chosen.Aligned);
    }

    [Fact]
    public void Folders_that_are_named_are_taken_as_they_are()
    {
        var chosen = PairFolders.Choose("sft", ["rlhf"]);
        Assert.Equal("sft", chosen.Reference);
        Assert.Equal([new AlignedFolder("aligned", "rlhf")], chosen.Aligned);
    }

    [Fact]
    public void Several_aligned_models_have_a_name_each() => Assert.Equal(
        [new AlignedFolder("helpful", "models/a=b"), new AlignedFolder("concise", "/c")],
        PairFolders.Choose("sft", ["helpful=models/a=b", "concise=/c"]).Aligned);

    [Theory]
    [InlineData("models/a=b", "models/a=b")]
    [InlineData("./helpful=b", "./helpful=b")]
    [InlineData("=b", "=b")]
    [InlineData("helpful=", "helpful=")]
    public void What_is_no_name_before_an_equals_sign_belongs_to_the_folder(string value, string folder) =>
        Assert.Equal([new AlignedFolder("aligned", folder)], PairFolders.ParseAligned([value]));

    [Fact]
    public void Of_several_aligned_models_none_may_lack_a_name() => Assert.Contains("'rlhf' has no name",
        Assert.Throws<FormatException>(() => PairFolders.Choose("sft", ["helpful=a", "rlhf"])).Message, StringComparison.Ordinal);

    [Theory]
    [InlineData("sft", null, "--reference is given without --aligned")]
    [InlineData(null, "rlhf", "--aligned is given without --reference")]
    public void One_folder_alone_is_refused(string? reference, string? aligned, string message)
    {
        var fault = Assert.Throws<FormatException>(() => PairFolders.Choose(reference, aligned is null ? [] : [aligned]));
        Assert.StartsWith(message, fault.Message, StringComparison.Ordinal);
    }
}
