using System.Text.Json;
using DeRa.Serving.Rewards;
using DeRa.Testing;
using Xunit;

namespace DeRa.Serving.Tests.Rewards;

public sealed class TextRewardTests
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("regex:^So", "So it goes", 1)]
    [InlineData("regex:^so", "So it goes", 0)]
    [InlineData("regex:(?i)^so.*goes$", "So it goes", 1)]
    [InlineData("json", " {\"a\": [1, 2.5e3, null]}\n", 1)]
    [InlineData("json", "3", 1)]
    [InlineData("json", "{\"a\": 1", 0)]
    [InlineData("json", "{\"a\": 1} and more", 0)]
    [InlineData("json", "{'a': 1}", 0)]
    [InlineData("json", "", 0)]
    [InlineData("0.7*regex:a+0.3*json", "1", .3)]
    [InlineData("0.75*regex:a - 0.25 * json", "\"a\"", .5)]
    [InlineData("-2*json", "1", -2)]
    public async Task A_text_scores(string spec, string text, double expected) =>
        Assert.Equal(expected, (await ScoreAsync(spec, text, null)).Required(), 12);

    [Theory]
    [InlineData("exact:answer", " Paris\n", """{"answer": "Paris"}""", 1)]
    [InlineData("exact:answer", "paris", """{"answer": "Paris"}""", 0)]
    [InlineData("exact:answer", "Lutetia", """{"answer": ["Paris", "Lutetia"]}""", 1)]
    [InlineData("exact:answer", "42", """{"answer": 42}""", 1)]
    [InlineData("number:answer", "6 * 7 = 42", """{"answer": 42}""", 1)]
    [InlineData("number:answer", "42 is 6 * 7", """{"answer": 42}""", 0)]
    [InlineData("number:answer", "#### 42 (that is 6 * 7)\nbecause 1 + 1 = 2", """{"answer": "work... #### 7"}""", 1)]
    [InlineData("number:answer", "So \\boxed{42} by 3 ways", """{"answer": "42.0"}""", 1)]
    [InlineData("number:answer", "nothing", """{"answer": 42}""", 0)]
    public async Task A_text_is_compared_with_the_item_s_field(string spec, string text, string item, double expected) =>
        Assert.Equal(expected, (await ScoreAsync(spec, text, item)).Required());

    [Theory]
    [InlineData("exact:answer", null, "reward exact: the prompt has no item with a field 'answer'")]
    [InlineData("exact:answer", """{"question": "?"}""", "reward exact: the prompt's item has no field 'answer'")]
    [InlineData("number:answer", """{"answer": "none"}""", "reward number: the item's field 'answer' holds no number")]
    [InlineData("exact:answer", """{"answer": {"a": 1}}""", "must be a text, a number, a flag, or a list of at least one of them")]
    [InlineData("exact:answer", """{"answer": []}""", "must be a text, a number, a flag, or a list of at least one of them")]
    [InlineData("0.5*json+0.5*exact:answer", null, "reward exact: the prompt has no item")]
    [InlineData("regex:(a+)+$", null, "no result within 1 s")]
    public async Task What_cannot_be_scored_is_that_completion_s_error(string spec, string? item, string expected) =>
        Assert.Contains(expected, (await ScoreAsync(spec, new string('a', 40) + "!", item)).Error, StringComparison.Ordinal);

    [Theory]
    [InlineData("The total is $1,234.50.", 1234.5)]
    [InlineData("It fell to -3 degrees", -3.0)]
    [InlineData("It fell to −3.5 degrees", -3.5)]
    [InlineData("pages 10-15", 15.0)]
    [InlineData("COVID-19", 19.0)]
    [InlineData("1, 2, 3", 3.0)]
    [InlineData("12,34", 34.0)]
    [InlineData("6.02e23 of them", 6.02e23)]
    [InlineData("about .5", .5)]
    [InlineData("#### 70,000", 70000.0)]
    [InlineData("#### 1\n#### 2", 2.0)]
    [InlineData(@"\boxed{\text{no}} then \boxed{\frac{3}{4}}", .75)]
    [InlineData(@"\boxed{-3/4}", -.75)]
    [InlineData(@"\boxed{x = {7}} 9", 7.0)]
    [InlineData(@"open \boxed{7", 7.0)]
    [InlineData("no number", null)]
    [InlineData("####", null)]
    public void The_number_of_a_text_is_found(string text, double? expected) => Assert.Equal(expected, NumberText.Find(text));

    [Fact]
    public async Task Every_GSM8K_solution_scores_1_for_itself_and_0_for_another_s()
    {
        if (SharedData.Find("eval/gsm8k-test.jsonl") is not { } path)
        {
            Assert.Skip(SharedData.Missing);
            return;
        }
        JsonElement[] items = [.. File.ReadLines(path).Select(line => JsonElement.Parse(line))];
        using var reward = RewardSpec.Parse("number:answer");

        var own = await reward.ScoreAsync([.. items.Select(item => Completion(Result(item), item))], Cancellation);
        var other = await reward.ScoreAsync([.. items.Select(item => Completion($"{Result(item)}1", item))], Cancellation);

        Assert.Equal(1319, items.Length);
        Assert.All(own, score => Assert.Equal(1, score.Value));
        Assert.All(other, score => Assert.Equal(0, score.Value));
    }

    private static string Result(JsonElement item) => "The result is " + item.GetProperty("answer").GetString()!.Split("####")[1].Trim();

    private static Completion Completion(string text, JsonElement? item) => new("", text, 1, true) { Item = item };

    private static async Task<RewardScore> ScoreAsync(string spec, string text, string? item)
    {
        using var reward = RewardSpec.Parse(spec);
        return Assert.Single(await reward.ScoreAsync([Completion(text, item is null ? null : JsonElement.Parse(item))], Cancellation));
    }
}
