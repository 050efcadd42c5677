using DeRa.Serving.Merging;
using DeRa.Testing;
using DeRa.Torch.Weights;
using Xunit;

namespace DeRa.Serving.Tests.Merging;

public sealed class ModelMergeTests : IDisposable
{
    private static readonly string s_reference = GoldenData.Committed("pair/sft");
    private static readonly string s_aligned = GoldenData.Committed("pair/aligned");

    private readonly TemporaryFolder _folder = new();

    private string Output => Path.Combine(_folder.Path, "merged");

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(.5)]
    [InlineData(1.4)]
    [InlineData(-.4)]
    public void Weights_are_those_between_the_two_in_the_reference_s_files(double strength)
    {
        Merge(s_reference, s_aligned, strength);
        var (reference, aligned, merged) = (StoredWeights.Read(s_reference), StoredWeights.Read(s_aligned), StoredWeights.Read(Output));
        Assert.Equal(reference.Keys.Order(), merged.Keys.Order());
        Assert.NotEqual(reference.Values.SelectMany(values => values), reference.Keys.SelectMany(name => aligned[name]));
        foreach (var (name, values) in merged)
            for (var i = 0; i < values.Length; i++)
            {
                var expected = (1 - strength) * reference[name][i] + strength * aligned[name][i];
                // Half of bfloat16's last place, and float32's.
                Assert.Equal(expected, values[i], strength is 0 or 1 ? 0 : Math.Abs(expected) / 256 + 1e-6);
            }
        Assert.Equal(["config.json", "generation_config.json", "model.safetensors", "tokenizer.json", "tokenizer_cases.json",
            "tokenizer_config.json"], Directory.GetFiles(Output).Select(Path.GetFileName).Order(StringComparer.Ordinal));
        if (strength == 0) Assert.Equal(File.ReadAllBytes(Path.Combine(s_reference, "model.safetensors")), Bytes("model.safetensors"));
        Assert.Equal(File.ReadAllBytes(Path.Combine(s_aligned, "tokenizer_config.json")), Bytes("tokenizer_config.json"));
        Assert.Single(Directory.GetFileSystemEntries(_folder.Path));
    }

    [Fact]
    public void Shards_and_their_index_are_kept()
    {
        using var altered = new TemporaryFolder();
        var reference = GoldenData.Committed("qwen2");
        AlteredModel.Write(altered, reference);
        Merge(reference, altered.Path, .25);
        Assert.Equal(File.ReadAllBytes(Path.Combine(reference, "model.safetensors.index.json")), Bytes("model.safetensors.index.json"));
        var (first, second, merged) =
            (StoredWeights.Read(reference), StoredWeights.Read(altered.Path), StoredWeights.Read(Output));
        Assert.Equal(first["model.embed_tokens.weight"], merged["model.embed_tokens.weight"]);
        const string norm = "model.norm.weight";
        Assert.All(merged[norm].Index(), value =>
            Assert.Equal(.75 * first[norm][value.Index] + .25 * second[norm][value.Index], value.Item, 1e-2));
        Assert.NotEqual(first[norm], merged[norm]);
    }

    [Theory]
    [InlineData("pair/sft", "pair/lora", "is an adapter, which needs no merging")]
    [InlineData("pair/sft", "qwen2", "Family is Qwen2, but Llama in ")]
    [InlineData("pair/sft", "missing", "missing")]
    public void Models_that_do_not_fit_are_refused_and_leave_nothing(string reference, string aligned, string expected)
    {
        var refused = Assert.Throws<CheckpointException>(() =>
            Merge(GoldenData.Committed(reference), GoldenData.Committed(aligned), .5));
        Assert.Contains(expected, refused.Message, StringComparison.Ordinal);
        Assert.Empty(Directory.GetFileSystemEntries(_folder.Path));
    }

    [Fact]
    public void A_folder_that_holds_something_is_not_touched_and_an_empty_one_is_used()
    {
        Directory.CreateDirectory(Output);
        Merge(s_reference, s_aligned, .5);
        var before = Bytes("model.safetensors");
        Assert.Contains("is there already and not empty",
            Assert.Throws<FormatException>(() => Merge(s_reference, s_aligned, 0)).Message, StringComparison.Ordinal);
        Assert.Equal(before, Bytes("model.safetensors"));
    }

    [Fact]
    public void An_interruption_leaves_nothing()
    {
        using var stop = new CancellationTokenSource();
        stop.Cancel();
        Assert.Throws<OperationCanceledException>(() => new ModelMerge(s_reference, s_aligned, Output, .5).Write(null, stop.Token));
        Assert.Empty(Directory.GetFileSystemEntries(_folder.Path));
    }

    private byte[] Bytes(string name) => File.ReadAllBytes(Path.Combine(Output, name));

    private void Merge(string reference, string aligned, double strength) =>
        new ModelMerge(reference, aligned, Output, strength).Write(null, TestContext.Current.CancellationToken);
}
