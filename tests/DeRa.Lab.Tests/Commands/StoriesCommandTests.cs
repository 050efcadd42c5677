using DeRa.Lab.Data;
using DeRa.Testing;
using DeRa.Text.Loading;
using Xunit;

namespace DeRa.Lab.Tests.Commands;

public sealed class StoriesCommandTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Texts_and_chats_are_written_and_a_tokenizer_learned_from_them_reads_both_alike()
    {
        var output = await WriteAsync("data");
        Assert.Contains("5 stories read; dropped: 1 cut, 1 duplicates", output, StringComparison.Ordinal);
        var length = Story("cat").Length;
        var sizes = FormattableString.Invariant(
            $"3 stories ({3 * length:N0} characters) to learn from, 2 stories ({2 * length} characters)");
        Assert.Contains(sizes, output, StringComparison.Ordinal);
        var stories = DocumentFile.Read(Written("data", "stories.txt")).Select(story => story.Text);
        Assert.Equal([Story("cat"), Story("dog"), Story("fox")], stories);
        Assert.Equal(stories, DocumentFile.Read(Written("data", "chats.jsonl")).Select(chat => chat.Text));
        Assert.Equal([Story("hen"), Story("owl")], DocumentFile.Read(Written("data", "held-out.txt")).Select(story => story.Text));
        var asked = DocumentFile.Read(Written("data", "held-out-chats.jsonl"));
        Assert.Equal(2, asked.Count(chat => chat.Prompt.EndsWith("<|assistant|>\n", StringComparison.Ordinal)));
        var words = File.ReadAllLines(Written("data", "words.txt"));
        Assert.Contains("fox", words);
        Assert.DoesNotContain("owl", words);

        var folder = Path.Combine(_folder.Path, "tokenizer");
        await LabRun.OutputAsync("tokenizer", "--text", Written("data", "stories.txt"), Written("data", "chats.jsonl"),
            "--vocabulary", "300", "--output", folder);
        var tokenizer = TokenizerLoader.Load(folder);
        Assert.All(DocumentFile.Read(Written("data", "chats.jsonl")), chat =>
        {
            var tokens = EncodedDocument.Of(chat, tokenizer, endToken: 0).Tokens;
            Assert.Equal(0, tokens[^1]);
            Assert.Equal(chat.Text, tokenizer.Decode(tokens).Split('\n', 4)[^1]);
        });
    }

    [Fact]
    public async Task The_seed_decides_how_the_chats_ask_and_nothing_else()
    {
        await WriteAsync("one");
        await WriteAsync("same");
        await WriteAsync("other", "--seed", "2");
        foreach (var file in (string[])["stories.txt", "chats.jsonl", "held-out.txt", "held-out-chats.jsonl", "words.txt"])
        {
            Assert.Equal(File.ReadAllText(Written("one", file)), File.ReadAllText(Written("same", file)));
            var isSame = File.ReadAllText(Written("one", file)) == File.ReadAllText(Written("other", file));
            Assert.Equal(!file.EndsWith("chats.jsonl", StringComparison.Ordinal), isSame);
        }
    }

    private async Task<string> WriteAsync(string name, params string[] more)
    {
        var first = _folder.Write("first.txt", Joined(Story("cat"), Story("dog"), Story("dog")));
        var curly = Story("fox").Replace("\"Hi", "“Hi", StringComparison.Ordinal);
        var second = _folder.Write("second.txt", Joined(curly, Story("cow")[..^9]));
        var heldOut = _folder.Write("held-out.txt", Joined(Story("hen"), Story("owl")));
        return await LabRun.OutputAsync(["stories", "--text", first, second, "--held-out", heldOut, "--output",
            Path.Combine(_folder.Path, name), .. more]);
    }

    private string Written(string folder, string file) => Path.Combine(_folder.Path, folder, file);

    private static string Joined(params string[] stories) =>
        "cut.<|endoftext|>" + string.Join("<|endoftext|>", stories) + "<|endoftext|>cut";

    private static string Story(string animal) =>
        $"One day, a {animal} saw a {animal} in the {animal} park. \"Hi, {animal}!\" said the {animal}.\n"
        + $"The {animal} and the {animal} went to a {animal} house, where they ate {animal} cake and drank {animal} milk all day long.\n"
        + $"In the end, the {animal} and the {animal} were happy {animal} friends. They slept in the {animal} house all night.";
}
