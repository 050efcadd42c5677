using DeRa.Cli.Score;
using DeRa.Cli.Tests.Bench;
using DeRa.Serving.Requests;
using DeRa.Serving.Scoring;
using Xunit;

namespace DeRa.Cli.Tests.Score;

public sealed class ScoreLinesTests : IDisposable
{
    private readonly TestFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Items_are_texts_tokens_or_conversations_and_keep_their_line()
    {
        var lines = ScoreLines.ReadItems(Write(
            """{"prompt":"ab","continuation":"c","id":7}""", "", """{"prompt":[1,2],"continuation":[3]}""",
            """{"messages":[{"role":"developer","content":"s"},{"role":"user","content":[{"type":"text","text":"h"},{"type":"text","text":"i"}]},{"role":"assistant","content":"yes"}]}"""));
        Assert.Equal([1, 3, 4], lines.Select(line => line.Number));
        Assert.Equal(["ab|c", "1 2|3", "system:s user:hi assistant:yes|"], lines.Select(line => Text(Assert.Single(line.Items))));
    }

    [Theory]
    [InlineData("ab|c", "ab|d", """{"prompt":"ab","chosen":"c","rejected":"d"}""")]
    [InlineData("user:q assistant:c|", "user:q assistant:d|",
        """{"messages":[{"role":"user","content":"q"}],"chosen":"c","rejected":"d"}""")]
    [InlineData("user:q assistant:c|", "user:q assistant:d|",
        """{"prompt":[{"role":"user","content":"q"}],"chosen":[{"role":"assistant","content":"c"}],"rejected":{"role":"assistant","content":"d"}}""")]
    [InlineData("user:q assistant:c|", "user:q assistant:d|",
        """{"prompt":"q","chosen":[{"role":"user","content":"q"},{"role":"assistant","content":"c"}],"rejected":[{"role":"user","content":"q"},{"role":"assistant","content":"d"}]}""")]
    [InlineData("user:q assistant:c|", "user:q assistant:d|",
        """{"prompt":"q","chosen":[{"role":"assistant","content":"c"}],"rejected":[{"role":"assistant","content":"d"}]}""")]
    public void Pairs_are_read_in_the_forms_of_published_data(string chosen, string rejected, string line) =>
        Assert.Equal([chosen, rejected], Assert.Single(ScoreLines.ReadPreferences(Write(line))).Items.Select(Text));

    [Theory]
    [InlineData(":2: the line must be a JSON object", """{"prompt":"a","continuation":"b"}""", "[]")]
    [InlineData(":1: '", "{]")]
    [InlineData(":1: 'continuation' is missing", """{"prompt":"a"}""")]
    [InlineData(":3: 'prompt' must be a text or a list of token ids",
        """{"prompt":"a","continuation":"b"}""", "", """{"prompt":1,"continuation":"b"}""")]
    [InlineData(":1: 'prompt[1]' must be a token id", """{"prompt":[1,2.5],"continuation":"b"}""")]
    [InlineData(":1: 'messages' stands beside", """{"messages":[{"role":"user","content":"a"}],"prompt":"b"}""")]
    [InlineData(":1: 'messages[0].role' is missing", """{"messages":[{"content":"a"}]}""")]
    [InlineData(":1: 'messages[0].content[0]' must be a part of type 'text'",
        """{"messages":[{"role":"user","content":[{"type":"image_url"}]}]}""")]
    [InlineData(":1: 'messages' must be a list of at least one message", """{"messages":[]}""")]
    [InlineData(":1: 'prompt' must be valid Unicode", """{"prompt":"\ud800","continuation":"b"}""")]
    [InlineData("holds no line", "", " ")]
    public void What_is_wrong_is_named_with_file_and_line(string message, params string[] lines)
    {
        var path = Write(lines);
        var refused = Assert.Throws<FormatException>(() => ScoreLines.ReadItems(path)).Message;
        Assert.StartsWith(path, refused, StringComparison.Ordinal);
        Assert.Contains(message, refused, StringComparison.Ordinal);
    }

    [Fact]
    public void Bytes_that_are_no_UTF_8_are_refused()
    {
        File.WriteAllBytes(_folder.File("lines.jsonl"), [.. "{\"prompt\":\""u8, 0xFF, .. "\"}"u8]);
        Assert.Contains("not UTF-8", Assert.Throws<FormatException>(() => ScoreLines.ReadItems(_folder.File("lines.jsonl"))).Message);
    }

    private string Write(params string[] lines)
    {
        File.WriteAllLines(_folder.File("lines.jsonl"), lines);
        return _folder.File("lines.jsonl");
    }

    private static string Text(ScoreItem item) => $"{Text(item.Prompt)}|{Text(item.Continuation)}";

    private static string Text(PromptInput? prompt) => prompt switch
    {
        TextPrompt text => text.Text,
        TokenPrompt tokens => string.Join(' ', tokens.Tokens),
        ChatPrompt chat => string.Join(' ', chat.Messages.Select(message => $"{message.Role}:{message.Content}")),
        _ => "",
    };
}
