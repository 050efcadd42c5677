using DeRa.Lab.Data;
using DeRa.Testing;
using Xunit;

namespace DeRa.Lab.Tests.Data;

public sealed class StoryFileTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void The_first_and_the_last_story_of_a_file_are_left_out()
    {
        var file = StoryFile.Read(_folder.Write("a.txt",
            "was cut.\n<|endoftext|>\nOne.\n\nTwo.\n<|endoftext|>\r\nThree.<|endoftext|>Cut o"));
        Assert.False(file.IsLowerCase);
        Assert.Equal(["One.\n\nTwo.", "Three."], file.Stories);
    }

    [Fact]
    public void Without_capitals_and_marks_a_line_end_stands_between_stories()
    {
        var file = StoryFile.Read(_folder.Write("a.txt",
            "was cut.\nonce there was a cat.\n\nit ran.\ntom and ben are friends.\n\nthey run.\n\nthe end.\n"
            + "one day it rained.\n\nit was wet.\ncut o"));
        Assert.True(file.IsLowerCase);
        Assert.Equal(["once there was a cat.\n\nit ran.", "tom and ben are friends.\n\nthey run.\n\nthe end.",
            "one day it rained.\n\nit was wet."], file.Stories);
        Assert.Equal(0, file.Parts);
    }

    [Fact]
    public void A_story_without_capitals_with_line_ends_inside_is_left_out()
    {
        var file = StoryFile.Read(_folder.Write("a.txt",
            "was cut.\nonce there was a cat.\n\nit ran.\n"
            + "once there was an owl.\none day it flew.\n\nit was far.\nthe owl was sad.\n\nit cried.\nwilbur nodded.\n"
            + "once there was a dog.\n\nit sat.\ncut o"));
        Assert.Equal(["once there was a cat.\n\nit ran.", "once there was a dog.\n\nit sat."], file.Stories);
        Assert.Equal(4, file.Parts);
    }

    [Fact]
    public void A_file_with_nothing_between_its_ends_is_named()
    {
        var error = Assert.Throws<LabException>(() => StoryFile.Read(_folder.Write("two.txt", "One.<|endoftext|>Two.")));
        Assert.Contains("two.txt: 2 stories are in it; 3 are needed", error.Message, StringComparison.Ordinal);
    }
}
