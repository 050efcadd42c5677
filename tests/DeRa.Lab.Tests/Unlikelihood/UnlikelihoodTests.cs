using System.Text.RegularExpressions;
using DeRa.Lab.Evaluation;
using DeRa.Lab.Sampling;
using DeRa.Lab.Tests.Commands;
using DeRa.Lab.Unlikelihood;
using DeRa.Testing;
using DeRa.Text.Loading;
using Xunit;

namespace DeRa.Lab.Tests.Unlikelihood;

public sealed class UnlikelihoodTests(TinyPair pair) : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("", " The dog ran home.", true)]
    // What made the word a wrong one came behind its first token.
    [InlineData("", " The doglex ran.", true, "lex")]
    [InlineData("The dog", "lex ran.", true, "lex")]
    [InlineData("The dog", " ran hom", true, "om")]
    // The limit cut it: it may have become a word.
    [InlineData("The dog", " ran hom", false)]
    [InlineData("", " The dog ran home. The dog ran home.", true, "home")]
    [InlineData("", " the Dog ran HOME, the dog ran home the dog", true, "home", "the", "dog")]
    // The prompt is no part of what repeats.
    [InlineData("The dog ran home.", " The dog ran home.", true)]
    [InlineData("The dog", "'s home ran.", true)]
    public void Faulty_tokens_are_those_that_made_a_word_wrong_or_a_run_a_repetition(
        string prompt, string text, bool finished, params string[] faulty)
    {
        var tokenizer = TokenizerLoader.Load(DefaultPairWeights.Folder("reference"));
        var known = KnownWords.Read([_folder.Write("words.txt", "the dog ran home")]);
        int[] end = finished ? [0] : [];
        var sampled = new SampledText(
            [.. tokenizer.Encode(prompt)], [.. tokenizer.Encode(text, addSpecialTokens: false), .. end], finished);
        var found = new CompletionFaults(tokenizer, known).Of(prompt, sampled);
        Assert.Equal(string.Concat(faulty), string.Concat(found.Select(i => tokenizer.Decode([sampled.Tokens[i]]).Trim())));
    }

    [Fact]
    public async Task What_is_faulty_is_written_less_and_the_texts_are_still_known()
    {
        string[] cpu = ["--device", "cpu", "--threads", "1"];
        var words = _folder.Write("words.txt", "tom lily ben the cat dog ran sat saw a was happy went home had big red");
        var output = Path.Combine(_folder.Path, "unlearned");
        string[] Train(string known) => ["train", "--from", pair.Model, "--text", pair.Text, "--unlikelihood", "20", "--known-words", known,
            "--unlikelihood-completions", "24", "--output", output, "--steps", "30", "--warmup-steps", "3", "--learning-rate", "3e-3",
            "--batch-rows", "8", "--row-tokens", "32", .. cpu];
        await LabRun.OutputAsync(Train(words));
        var others = _folder.Write("other.txt", File.ReadAllText(words).Replace("tom", "ball", StringComparison.Ordinal));
        var other = await LabRun.OfAsync(Train(others));
        Assert.Equal(2, other.Code);
        Assert.Contains(output, other.Error, StringComparison.Ordinal);
        async Task<(int Faulty, int Known)> WrittenAsync(string model)
        {
            var texts = await LabRun.OutputAsync(["sample", "--reference", model, "--count", "60", "--max-tokens", "40", .. cpu]);
            return (Regex.Count(texts, @"\bball\b"), Regex.Count(texts, @"\b(Tom|Lily|Ben|cat|dog) (ran|sat|was happy|went home)\b"));
        }
        var (before, after) = (await WrittenAsync(pair.Model), await WrittenAsync(output));
        Assert.True(after.Faulty < before.Faulty / 3, $"{before}, {after}");
        Assert.True(after.Known >= before.Known, $"{before}, {after}");
    }
}
