using DeRa.Lab.Data;
using Xunit;

namespace DeRa.Lab.Tests.Data;

public sealed class StoryFaultTests
{
    private const string Good = "One day, Tom and Mr. and Mrs. Fox met in the park. It was rainy... no, it was sunny and they had a ball.\n"
        + "\"Hi!\" said Tom. \"Let's play - you and I.\" So they played until 6:30, and Tom's mom said 'well done'... "
        + "and then they went home.";

    [Fact]
    public void A_good_story_has_none() => Assert.Null(StoryFaults.Of(Good));

    [Theory]
    [InlineData(nameof(StoryFault.Truncated), "One day", "one day")]
    [InlineData(nameof(StoryFault.Truncated), "went home.", "went ho")]
    [InlineData(nameof(StoryFault.Truncated), "went home.", "went home,")]
    [InlineData(nameof(StoryFault.Characters), "sunny", "sonnée")]
    [InlineData(nameof(StoryFault.Characters), "sunny", "$5")]
    [InlineData(nameof(StoryFault.Quotations), "\"Hi!\"", "\"Hi!")]
    [InlineData(nameof(StoryFault.Quotations), "\"Hi!\" said Tom. \"", "\"Hi! said Tom. \"Yes\" \"")]
    [InlineData(nameof(StoryFault.Quotations), "\"Hi!\"", "\"\"")]
    [InlineData(nameof(StoryFault.Sentences), "So they", "so they. they")]
    [InlineData(nameof(StoryFault.Sentences), "park. It", "park.It")]
    [InlineData(nameof(StoryFault.Sentences), "park. It", "park.\nit")]
    [InlineData(nameof(StoryFault.Labels), "park. It", "park.\nTom: It")]
    public void Each_fault_is_found(string fault, string part, string by)
    {
        Assert.Contains(part, Good, StringComparison.Ordinal);
        Assert.Equal(fault, $"{StoryFaults.Of(Good.Replace(part, by, StringComparison.Ordinal))}");
    }

    [Fact]
    public void Two_sentences_are_no_story() => Assert.Equal(StoryFault.Short, StoryFaults.Of("One day, Tom ran. The end."));
}
