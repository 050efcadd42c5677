using DeRa.Testing;
using DeRa.Torch.Execution;
using DeRa.Torch.Native;
using DeRa.Torch.Verification;
using DeRa.Torch.Weights;
using Xunit;

namespace DeRa.Torch.Tests.Execution;

public sealed class SequenceClassifierTests
{
    private const int Token = 37;

    [Theory]
    [InlineData("llama-llama3", "auto")]
    [InlineData("llama-llama3", "torch")]
    [InlineData("qwen2", "auto")]
    [InlineData("qwen3", "auto")]
    public void Scores_equal_the_float64_logits_of_the_token_whose_row_the_head_is(string model, string kernels)
    {
        using var folder = ClassifierFolder.Write(new TemporaryFolder(), GoldenData.Committed(model), Token);
        using var classifier = SequenceClassifier.Load(folder.Path, DeviceOption.Cpu,
            new NumberOptions { DType = DTypeOption.Parse("float32"), Kernels = KernelsOption.Parse(kernels) });
        foreach (var golden in GoldenCase.Load(GoldenData.Committed(model)))
        {
            int[][] sequences = [.. Enumerable.Range(1, golden.Tokens.Length).Select(length => golden.Tokens[..length])];
            var scores = classifier.Score(sequences, TestContext.Current.CancellationToken);
            for (var i = 0; i < sequences.Length; i++)
                Assert.Equal(golden.Logits[i * golden.VocabularySize + Token], scores[i], 1e-4);
        }
    }

    [Fact]
    public void More_sequences_than_a_pass_takes_have_the_scores_that_each_has_alone()
    {
        using var folder = ClassifierFolder.Write(new TemporaryFolder(), GoldenData.Committed("qwen2"), Token);
        using var classifier = SequenceClassifier.Load(folder.Path, DeviceOption.Cpu, new NumberOptions());
        var random = new Random(3);
        int[][] sequences = [.. Enumerable.Range(0, 60).Select(_ =>
            Enumerable.Range(0, random.Next(1, classifier.ContextTokens + 1)).Select(_ => random.Next(100)).ToArray())];
        var together = classifier.Score(sequences, TestContext.Current.CancellationToken);
        Assert.Equal(together, sequences.Select(one => classifier.Score([one], TestContext.Current.CancellationToken)[0]));
    }

    [Fact]
    public void A_language_model_is_no_classifier_and_says_which_are()
    {
        var error = Assert.Throws<CheckpointException>(() =>
            SequenceClassifier.Load(GoldenData.Committed("qwen2"), DeviceOption.Cpu, new NumberOptions()));
        Assert.Contains("'architectures' is [Qwen2ForCausalLM]", error.Message, StringComparison.Ordinal);
        Assert.Contains("LlamaForSequenceClassification", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_head_of_two_labels_is_refused_by_name()
    {
        using var folder = ClassifierFolder.Write(new TemporaryFolder(), GoldenData.Committed("qwen2"), Token);
        var path = Path.Combine(folder.Path, "score.safetensors");
        var file = File.ReadAllText(path, System.Text.Encoding.Latin1).Replace("[1,48]", "[2,24]", StringComparison.Ordinal);
        File.WriteAllText(path, file, System.Text.Encoding.Latin1);
        var error = Assert.Throws<CheckpointException>(() =>
            SequenceClassifier.Load(folder.Path, DeviceOption.Cpu, new NumberOptions()));
        Assert.Contains("score.weight", error.Message, StringComparison.Ordinal);
    }
}
