using DeRa.Testing;
using DeRa.Torch.Weights;
using Xunit;
using static DeRa.Torch.Tests.Weights.Safetensors;

namespace DeRa.Torch.Tests.Weights;

public sealed class CheckpointTests : IDisposable
{
    private const string Index = "model.safetensors.index.json";
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Shards_are_found_through_the_index()
    {
        WriteShard("one.safetensors", "a");
        WriteShard("two.safetensors", "b");
        _folder.Write(Index, "{\"metadata\":{\"total_size\":16},\"weight_map\":{\"a\":\"one.safetensors\",\"b\":\"two.safetensors\"}}");
        using var checkpoint = Checkpoint.Open(_folder.Path);
        Assert.Equal(["a", "b"], checkpoint.Names.Order());
        Assert.EndsWith("two.safetensors", checkpoint.Find("b")!.Value.File.Path);
        Assert.Null(checkpoint.Find("c"));
    }

    [Theory]
    [InlineData("../one.safetensors"), InlineData("/etc/one.safetensors"), InlineData("..\\\\one.safetensors"), InlineData("C:one.safetensors")]
    [InlineData("sub/one.safetensors"), InlineData("one.bin"), InlineData(""), InlineData("..")]
    public void A_shard_outside_the_folder_is_refused(string shard)
    {
        _folder.Write(Index, $"{{\"weight_map\":{{\"a\":\"{shard}\"}}}}");
        Assert.Contains("plain name", Open().Message);
    }

    [Theory]
    [InlineData("{}", "weight_map"), InlineData("{\"weight_map\":[]}", "weight_map"), InlineData("{\"weight_map\":", "not valid JSON")]
    [InlineData("{\"weight_map\":{\"a\":1}}", "plain name"), InlineData("{\"weight_map\":{\"a\":\"x.safetensors\",\"a\":\"y.safetensors\"}}", "not valid JSON")]
    [InlineData("{\"weight_map\":{\"a\":\"absent.safetensors\"}}", "absent.safetensors")]
    public void A_broken_index_is_refused(string index, string reason)
    {
        _folder.Write(Index, index);
        Assert.Contains(reason, Open().Message);
    }

    [Fact]
    public void An_entry_that_its_shard_lacks_is_refused_by_name()
    {
        WriteShard("one.safetensors", "a");
        _folder.Write(Index, "{\"weight_map\":{\"a\":\"one.safetensors\",\"b\":\"one.safetensors\"}}");
        Assert.Contains("tensor 'b': is not in 'one.safetensors'", Open().Message);
    }

    [Fact]
    public void A_tensor_in_two_shards_is_refused_by_name()
    {
        WriteShard("one.safetensors", "a");
        WriteShard("two.safetensors", "a");
        _folder.Write(Index, "{\"weight_map\":{\"a\":\"one.safetensors\",\"b\":\"two.safetensors\"}}");
        Assert.Contains("tensor 'a': lies in another shard too", Open().Message);
    }

    [Theory]
    [InlineData("pytorch_model.bin"), InlineData("model.pt"), InlineData("consolidated.00.pth")]
    public void Pickles_are_refused_with_the_way_to_convert_them(string name)
    {
        _folder.Write(name, "x");
        var exception = Open();
        Assert.EndsWith(name, exception.Path);
        Assert.Contains("safe_serialization=True", exception.Message);
    }

    [Fact]
    public void A_folder_without_weights_and_a_missing_folder_are_refused()
    {
        _folder.Write("training_args.bin", "x");
        Assert.Contains("model.safetensors", Open().Message);
        Assert.Contains("no such folder", Assert.Throws<CheckpointException>(() => Checkpoint.Open(_folder.Path + "-none")).Message);
    }

    private CheckpointException Open() => Assert.Throws<CheckpointException>(() => Checkpoint.Open(_folder.Path));

    private void WriteShard(string file, string tensor) => _folder.Write(file, Build("{" + Entry(tensor, "F32", "2", 0, 8) + "}", 8));
}
