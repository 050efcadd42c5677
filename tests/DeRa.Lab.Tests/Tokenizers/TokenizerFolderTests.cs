using System.Text.Json;
using DeRa.Lab.Tokenizers;
using DeRa.Testing;
using DeRa.Text.Loading;
using Xunit;

namespace DeRa.Lab.Tests.Tokenizers;

public sealed class TokenizerFolderTests
{
    private static readonly string[] SpecialTokens = [BpeTrainer.EndOfText, "<|pad|>"];

    [Fact]
    public void Files_are_those_that_the_reference_library_read()
    {
        using var folder = new TemporaryFolder();
        TokenizerFolder.Write(folder.Path, TrainOnCorpus(400), contextTokens: 256);
        foreach (var name in new[] { "tokenizer.json", "tokenizer_config.json", "special_tokens_map.json" })
            Assert.Equal(GoldenFiles.Text(name), File.ReadAllText(Path.Combine(folder.Path, name)));
    }

    [Fact]
    public void Ids_are_those_of_the_reference_library()
    {
        var tokenizer = TokenizerLoader.Load(GoldenFiles.Folder);
        foreach (var item in GoldenFiles.Json("reference.json").GetProperty("cases").EnumerateArray())
        {
            var (text, ids) = (item.GetProperty("text").GetString()!, item.GetProperty("ids").Deserialize<int[]>()!);
            Assert.Equal(ids, tokenizer.Encode(text, parseSpecialTokens: true));
            Assert.Equal("<|endoftext|>" + text, tokenizer.Decode(ids, skipSpecialTokens: false));
        }
    }

    [Theory]
    [InlineData(258)]
    [InlineData(300)]
    [InlineData(600)]
    public void Encoding_applies_the_merges_and_nothing_else(int vocabularySize)
    {
        using var folder = new TemporaryFolder();
        var bpe = TrainOnCorpus(vocabularySize);
        TokenizerFolder.Write(folder.Path, bpe, contextTokens: 256);
        var tokenizer = TokenizerLoader.Load(folder.Path);
        Assert.Equal(vocabularySize, tokenizer.VocabularySize);
        foreach (var text in Texts())
        {
            Assert.Equal([0, .. NaiveBpe.Encode(bpe, text)], tokenizer.Encode(text));
            Assert.Equal(text, tokenizer.Decode(tokenizer.Encode(text)));
        }
    }

    [Fact]
    public void The_first_special_token_stands_before_a_text_and_ends_it_and_a_user_cannot_write_it()
    {
        var tokenizer = TokenizerLoader.Load(GoldenFiles.Folder);
        Assert.Equal([0, 0], tokenizer.Encode("<|endoftext|>", parseSpecialTokens: true));
        Assert.Equal([0], tokenizer.Encode(""));
        Assert.DoesNotContain(0, tokenizer.Encode("<|endoftext|>", addSpecialTokens: false));
        Assert.True(tokenizer.IsSpecial(0));
        Assert.Equal("<|endoftext|>", GoldenFiles.Json("tokenizer_config.json").GetProperty("eos_token").GetString());
    }

    private static TrainedBpe TrainOnCorpus(int vocabularySize) =>
        BpeTrainer.Train([GoldenFiles.Text("corpus.txt")], vocabularySize, SpecialTokens);

    private static IEnumerable<string> Texts()
    {
        var random = new Random(11);
        // The naive encoding's regular expression knows no characters beyond U+FFFF.
        foreach (var line in GoldenFiles.Text("corpus.txt").Split('\n').Where(line => !line.Any(char.IsSurrogate))) yield return line;
        for (var i = 0; i < 50; i++) yield return random.GetString("theboatrws ' \n\tĠé灯\u00a0\u000012", 60);
        yield return string.Concat(Enumerable.Range(0, 0x800).Select(c => (char)c));
        yield return new string('a', 300) + new string(' ', 300);
    }
}
