using DeRa.Serving.Rewards;
using Xunit;

namespace DeRa.Serving.Tests.Rewards;

public sealed class RewardSpecTests
{
    [Theory]
    [InlineData("length:40-50")]
    [InlineData("length:7-7")]
    [InlineData("sentiment")]
    [InlineData("story")]
    [InlineData("command:python score.py --model 'my model'")]
    [InlineData("http://localhost:9000/score?fast=1")]
    [InlineData("https://example.org/score")]
    [InlineData("http://localhost:8000/pooling")]
    [InlineData("http://localhost:8000/score#plain")]
    [InlineData("regex:^[a-z]+: \\d$")]
    [InlineData("json")]
    [InlineData("exact:answer")]
    [InlineData("number:answer")]
    [InlineData("judge:http://localhost:8000/v1#some/model")]
    [InlineData("0.7*sentiment+0.3*length:40-50")]
    [InlineData("-1 * json - .5*exact:answer")]
    public void A_reward_bears_the_name_it_was_asked_for_by(string spec)
    {
        using var reward = RewardSpec.Parse(spec);
        Assert.Equal(spec, reward.Name);
    }

    [Theory]
    [InlineData("")]
    [InlineData("sentimental")]
    [InlineData("sentiment:en")]
    [InlineData("story:short")]
    [InlineData("length")]
    [InlineData("ftp://example.org")]
    [InlineData("exact:")]
    [InlineData("number")]
    [InlineData("json:strict")]
    [InlineData("model:")]
    public void An_unknown_reward_is_refused_with_what_there_is(string spec)
    {
        var error = Assert.Throws<RewardException>(() => RewardSpec.Parse(spec));
        Assert.Contains($"'{spec}'", error.Message, StringComparison.Ordinal);
        Assert.All(["length:", "sentiment", "story", "command:", "http"],
            name => Assert.Contains(name, error.Message, StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("length:50-40", "'50-40' is not MIN-MAX with 0 <= MIN <= MAX")]
    [InlineData("length:40", "'40'")]
    [InlineData("length:-1-5", "'-1-5'")]
    [InlineData("length:40-99999999999", "'40-99999999999'")]
    [InlineData("command:", "there is no command")]
    [InlineData("command: ", "there is no command")]
    [InlineData("command:python 'score.py", "a ' is not closed")]
    [InlineData("regex:(", "reward regex: Invalid pattern '('")]
    [InlineData("judge:localhost", "has no whole address, e.g. judge:http://localhost:8000/v1#model")]
    [InlineData("implicit", "needs a pair that is served")]
    [InlineData("model:/nowhere", "reward model: /nowhere")]
    [InlineData("0.5*sentiment+0.5*happiness", "'happiness' is not known")]
    [InlineData("0.5*", "'' is not known")]
    [InlineData("http://", "'http://' is not a whole address")]
    [InlineData("http:score", "'http:score' is not a whole address")]
    public void Wrong_arguments_are_refused_with_what_is_wrong(string spec, string expected) =>
        Assert.Contains(expected, Assert.Throws<RewardException>(() => RewardSpec.Parse(spec)).Message, StringComparison.Ordinal);

    [Theory]
    [InlineData("a  b\tc", "a|b|c")]
    [InlineData("a 'b c' \"d 'e'\"", "a|b c|d 'e'")]
    [InlineData("pre'fix 'x ''", "prefix x|")]
    [InlineData(@"a\b", @"a\b")]
    public void Commands_are_split_at_spaces_outside_of_quotes(string command, string expected) =>
        Assert.Equal(expected.Split('|'), CommandLineWords.Split(command));
}
