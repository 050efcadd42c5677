using DeRa.Serving.Inspection;
using DeRa.Testing;
using DeRa.Torch.Execution;
using DeRa.Torch.Families;
using DeRa.Torch.Models;
using DeRa.Torch.Native;
using DeRa.Torch.Tests.Execution;
using DeRa.Torch.Tests.Weights;
using DeRa.Torch.Weights;
using Xunit;
using static TorchSharp.torch;

namespace DeRa.Torch.Tests.Models;

/// <summary>An output layer that is stored although the configuration ties it to the embedding.</summary>
public sealed class StoredOutputTests
{
    public static TheoryData<string> Families => [.. GoldenData.CommittedModels];

    [Theory, MemberData(nameof(Families))]
    public void Another_one_than_the_embedding_is_used_and_the_log_says_so(string golden)
    {
        using var tied = WithOtherOutput(golden);
        using var untied = WithOtherOutput(golden);
        tied.Set("tie_word_embeddings", true).Write();
        untied.Set("tie_word_embeddings", false).Write();
        AssertUntied(tied, untied);
    }

    [Theory]
    [InlineData("gemma2"), InlineData("gpt2")]
    public void So_it_is_where_the_family_ties_unless_told_otherwise(string golden)
    {
        using var tied = WithOtherOutput(golden);
        using var untied = WithOtherOutput(golden);
        tied.Set("tie_word_embeddings", null).Write();
        untied.Set("tie_word_embeddings", false).Write();
        AssertUntied(tied, untied);
    }

    [Fact]
    public void So_it_is_where_names_lack_their_prefix()
    {
        using var tied = WithOtherOutput("gpt2");
        using var untied = WithOtherOutput("gpt2");
        tied.WithoutPrefix("transformer.").Write();
        untied.Set("tie_word_embeddings", false).Write();
        AssertUntied(tied, untied);
    }

    [Theory, MemberData(nameof(Families))]
    public void A_copy_of_the_embedding_takes_no_memory_and_no_warning(string golden)
    {
        using var tied = new EditedCheckpoint(GoldenData.Committed(golden)).Set("tie_word_embeddings", true);
        var layout = EditedCheckpoint.Layout(tied.Path);
        tied.Tensors[layout.Output] = tied.Tensors[layout.Embedding];
        tied.Write();
        var log = new ListLogger();
        using var executor = Load(tied, log).Executor;
        Assert.DoesNotContain(log.Lines, line => line.Contains("ties the output layer"));
        using var model = LoadModel(tied);
        Assert.Same(model.Embedding, model.Output.Weight);
    }

    [Fact]
    public void One_of_another_shape_or_type_is_refused_by_name()
    {
        using var tied = WithOtherOutput("pair/sft");
        tied.Set("tie_word_embeddings", true).Add("lm_head.weight", "F32", 299, 48).Write();
        Assert.Contains("tensor 'lm_head.weight': has shape [299, 48]; config.json asks for [300, 48]",
            Assert.Throws<CheckpointException>(() => LoadModel(tied)).Message);
        tied.Add("lm_head.weight", "F8_E4M3", 300, 48).Write();
        Assert.Contains("tensor 'lm_head.weight': holds elements of type F8_E4M3",
            Assert.Throws<CheckpointException>(() => LoadModel(tied)).Message);
    }

    [Fact]
    public void The_published_case_has_the_log_probabilities_of_its_stored_output()
    {
        var folder = SharedCases.Find("tied-other-head-qwen2/model");
        Assert.SkipWhen(folder is null, SharedCases.Missing);
        double[] expected = [-5.6385, -5.082, -4.3142, -4.523, -4.7668, -5.1767, -5.2073];
        using var executor = Load(folder!, folder!, new ListLogger(), vocabularySize: 139).Executor;
        int[] prompt = [5, 17, 40, 9, 33, 60, 12, 8];
        var row = new TestRow { Tokens = prompt, Position = 0, BlockTable = [0], Strengths = 0, ScoredTokens = prompt.AsMemory(1) };
        var scores = executor.Run(row)[0].ScoredLogProbs;
        Assert.All(expected.Zip(scores!), pair => Assert.Equal(pair.First, pair.Second.LogProb, 1e-4));
    }

    private static void AssertUntied(EditedCheckpoint tied, EditedCheckpoint untied)
    {
        var log = new ListLogger();
        var pair = Load(tied, log);
        using var executor = pair.Executor;
        Assert.False(pair.Members[0].Config.TiedEmbeddings);
        Assert.Contains(log.Lines, line => line.StartsWith("Warning: Model 'reference+aligned', ", StringComparison.Ordinal)
            && line.Contains("config.json ties the output layer to the embedding, but another one is stored, which is used"));
        using var other = Load(untied, new ListLogger()).Executor;
        Assert.Equal(Distribution(other), Distribution(executor));
        var inspection = ModelInspection.Read(tied.Path);
        Assert.True(inspection.Checkpoint is { HasUntiedOutput: true, Config.TiedEmbeddings: false });
        Assert.False(ModelInspection.Read(untied.Path).Checkpoint.HasUntiedOutput);
    }

    private static double[] Distribution(PairExecutor executor) =>
        TestSequence.Distribution(new TestSequence([1, 2, 3], strength: 0, [0]).Run(executor, 1).LogProbs[0]);

    /// <summary>The embedding's rows in falling order: other logits, all of them finite.</summary>
    private static EditedCheckpoint WithOtherOutput(string golden)
    {
        var edited = new EditedCheckpoint(GoldenData.Committed(golden));
        var layout = EditedCheckpoint.Layout(edited.Path);
        var (type, shape, data) = edited.Tensors[layout.Embedding];
        edited.Tensors[layout.Output] = (type, shape, [.. data.Chunk(data.Length / (int)shape[0]).Reverse().SelectMany(row => row)]);
        return edited;
    }

    private static DecoderModel LoadModel(EditedCheckpoint edited) => DecoderLoader.Load(
        edited.Path, ModelConfigReader.Load(edited.Path), CPU, new NumberOptions(), onProgress: null,
        CancellationToken.None);

    private static LoadedPair Load(EditedCheckpoint edited, ListLogger log) =>
        Load(edited.Path, edited.Path, log, ModelConfigReader.Load(edited.Path).VocabularySize);

    private static LoadedPair Load(string reference, string aligned, ListLogger log, int vocabularySize) => PairLoader.Load(
        GoldenPair.Options() with { ReferencePath = reference, Aligned = [new("aligned", aligned)] },
        vocabularySize, progress: null, log, TestContext.Current.CancellationToken);
}
