using System.Text.Json;
using DeRa.Lab.Tokenizers;
using Xunit;

namespace DeRa.Lab.Tests.Tokenizers;

public sealed class BpeTrainerTests
{
    private static readonly string[] EndOnly = [BpeTrainer.EndOfText];

    [Fact]
    public void Ids_go_to_special_tokens_then_bytes_then_merges()
    {
        var bpe = BpeTrainer.Train(["ab ab"], 260, ["<|endoftext|>", "<|pad|>"]);
        Assert.Equal(["<|endoftext|>", "<|pad|>", "!", "\""], bpe.Vocabulary.Take(4));
        Assert.Equal("\u0143", bpe.Vocabulary[257]);
        Assert.Equal(["ab", "Ġab"], bpe.Vocabulary.Skip(258));
        Assert.Equal(260, bpe.Vocabulary.Distinct().Count());
    }

    [Fact]
    public void The_most_frequent_pair_merges_first()
    {
        // Pieces "ab", " ab", " abc": (a,b) occurs 3 times, (Ġ,a) twice, (b,c) once; then (Ġ,ab) twice, (ab,c) once.
        Assert.Equal([("a", "b"), ("Ġ", "ab"), ("Ġab", "c")], Train("ab ab abc", 260).Merges);
    }

    [Fact]
    public void Equally_frequent_pairs_merge_by_lowest_ids()
    {
        // (b,a), (Ġ,a) and (a,b) occur once each; the ids of a, b and Ġ rise in this order.
        Assert.Equal([("a", "b"), ("b", "a"), ("Ġ", "ab")], Train("ba ab", 260).Merges);
    }

    [Fact]
    public void Overlapping_pairs_merge_from_the_left() =>
        // aaaaa becomes aa aa a, where (aa,a) and (aa,aa) occur once each and a has the lower id.
        Assert.Equal([("a", "a"), ("aa", "a"), ("aa", "aaa")], Train("aaaaa", 260).Merges);

    [Fact]
    public void Nothing_merges_over_a_special_token_or_the_end_of_a_text()
    {
        Assert.Equal([("a", "b"), ("c", "d")], BpeTrainer.Train(["ab<|endoftext|>ab", "cd"], 259, EndOnly).Merges);
        var error = Assert.Throws<ArgumentException>(() => BpeTrainer.Train(["ab<|endoftext|>ab", "cd"], 260, EndOnly));
        Assert.Contains("257 to 259", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Merges_are_those_of_the_reference_trainer()
    {
        var expected = GoldenFiles.Json("reference.json").GetProperty("merges").Deserialize<string[]>()!;
        // The reference reads a file line by line.
        var lines = GoldenFiles.Text("corpus.txt").Split('\n').SkipLast(1).Select(line => line + "\n");
        Assert.Equal(expected,
            BpeTrainer.Train(lines, 257 + expected.Length, EndOnly).Merges.Select(merge => $"{merge.Left} {merge.Right}"));
    }

    [Fact]
    public void Counts_kept_from_merge_to_merge_are_those_of_counting_anew()
    {
        var random = new Random(5);
        for (var round = 0; round < 40; round++)
        {
            var text = string.Join(' ', Enumerable.Range(0, 25).Select(_ => random.GetString("abc", random.Next(1, 12))));
            var expected = NaiveBpe.Train(text, EndOnly.Length);
            Assert.Equal(expected, Train(text, 257 + expected.Count).Merges);
            Assert.Throws<ArgumentException>(() => Train(text, 258 + expected.Count));
        }
    }

    [Theory]
    [InlineData("", 300, "text is empty")]
    [InlineData("<|endoftext|>", 300, "text is empty")]
    [InlineData("some text", 256, "vocabulary size 256 is out of range: 257")]
    [InlineData("some text", -1, "vocabulary size -1 is out of range: 257")]
    [InlineData("some text", int.MaxValue, "to 16777216")]
    [InlineData("ab ab abc", 261, "too few pairs for the vocabulary size 261: 257 to 260 is possible")]
    public void Text_and_size_out_of_range_are_refused(string text, int size, string message) =>
        Assert.Contains(message, Assert.Throws<ArgumentException>(() => Train(text, size)).Message, StringComparison.Ordinal);

    [Theory]
    [InlineData("no special token")]
    [InlineData("given twice", "<|end|>", "<|end|>")]
    [InlineData("two or more printable ASCII", "<|end|>", "a")]
    [InlineData("two or more printable ASCII", "<the end>")]
    [InlineData("two or more printable ASCII", "Ġthe")]
    public void Special_tokens_that_text_could_become_are_refused(string message, params string[] specialTokens)
    {
        var error = Assert.Throws<ArgumentException>(() => BpeTrainer.Train(["text"], 300, specialTokens));
        Assert.Contains(message, error.Message, StringComparison.Ordinal);
    }

    private static TrainedBpe Train(string text, int size) => BpeTrainer.Train([text], size, EndOnly);
}
