using Xunit;

namespace DeRa.Text.Tests.Tokenizers;

/// <summary>
/// A million characters of what makes a naive pattern or merge loop take time quadratic in the length: such a test would not end.
/// </summary>
public sealed class LongTextTests
{
    private const int Length = 1 << 20;

    [Theory]
    [InlineData("Llama 3, 3.1, 3.2", '\n', "x")]
    [InlineData("DeepSeek LLM, Math", ' ', "日")]
    [InlineData("Phi-4, o200k", 'A', "1")]
    [InlineData("Llama 2, TinyLlama, Mistral 7B, Zephyr, InternLM2", ' ', "x")]
    public void Long_runs_of_one_character_are_encoded_in_linear_time(string name, char character, string end)
    {
        var tokenizer = ReferenceEncodingTests.Load(name);
        var text = new string(character, Length) + end;
        Assert.Equal(text, tokenizer.Decode(tokenizer.Encode(text)));
    }

    [Fact]
    public void Many_beginnings_of_special_tokens_and_many_cuts_are_read_in_linear_time()
    {
        var tokenizer = ReferenceEncodingTests.Load("Qwen1.5, 2, 2.5, 3");
        var beginnings = string.Concat(Enumerable.Repeat("<|im_start|<", Length / 12));
        Assert.Equal(beginnings, tokenizer.Decode(tokenizer.Encode(beginnings, parseSpecialTokens: true)));
        var whole = string.Concat(Enumerable.Repeat("<|im_end|>", Length / 10));
        Assert.Equal(whole, tokenizer.Decode(tokenizer.Encode(whole, true, [.. Enumerable.Range(0, Length / 10).Select(i => i * 10 + 3)])));
        Assert.Equal(Length / 10, tokenizer.Encode(whole, true, [.. Enumerable.Range(1, Length / 10 - 1).Select(i => i * 10)]).Count);
    }

    /// <summary>Work, not time: each merge proposes at most two more.</summary>
    [Fact]
    public void The_merge_loop_looks_at_a_number_of_candidates_linear_in_the_length()
    {
        var random = new Random(5);
        var merges = new DeRa.Text.Tokenizers.Bpe.MergeTable(100);
        for (var rank = 0; rank < 100; rank++) merges.Add(random.Next(20), random.Next(20), rank, random.Next(20));
        foreach (var length in new[] { 1_000, 100_000 })
        {
            var tokens = Enumerable.Range(0, length).Select(_ => random.Next(20)).ToArray();
            DeRa.Text.Tokenizers.Bpe.MergeLoop.Run(merges, tokens, out var candidates);
            Assert.InRange(candidates, 1, 3 * length);
        }
    }
}
