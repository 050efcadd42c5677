using DeRa.Lab.Data;
using Xunit;

namespace DeRa.Lab.Tests.Data;

public sealed class StoryLessonTests
{
    [Theory]
    [InlineData("They learned to share and play together.", "to share")]
    [InlineData("Sue learned that it was good to share with others.", "to share")]
    [InlineData("Tim learnt that being kind makes friends.", "to be kind")]
    [InlineData("She learned that it's important to be careful.", "to be careful")]
    [InlineData("He learned to always listen to mom.", "to listen")]
    [InlineData("They learned that helping others is fun.", "to help others")]
    [InlineData("They learned to read, and then they had to share.", null)]
    [InlineData("It is good to share.", null)]
    public void A_lesson_is_what_the_story_says_was_learned(string story, string? lesson) => Assert.Equal(lesson, StoryLesson.Of(story));
}
