using DeRa.Lab.Data;
using Xunit;

namespace DeRa.Lab.Tests.Data;

public sealed class StoryMoodTests
{
    private const string Sad = "Tom was sad and scared, and he cried a lot. ";
    private const string Happy = "Tom smiled and hugged his friend. They laughed a lot. ";
    private const string Plain = "Tom walked to the door and looked at the wall. ";

    [Theory]
    [InlineData(Sad + Plain + Happy, true, true, false)]
    [InlineData(Happy + Plain + Sad, false, false, true)]
    [InlineData(Sad + Sad + Sad, true, false, true)]
    [InlineData(Plain + Happy + Plain, false, false, false)]
    [InlineData(Plain + Sad + Plain, false, false, false)]
    public void The_first_and_the_last_third_decide(string story, bool beginsSadly, bool endsHappily, bool endsSadly) =>
        Assert.Equal(new StoryMood(beginsSadly, endsHappily, endsSadly), StoryMood.Of(story));
}
