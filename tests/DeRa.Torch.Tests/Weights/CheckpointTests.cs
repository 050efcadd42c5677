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
    [InlineData("../one.safetensors"), InlineData("/etc/one.safetensors"), InlineData("..\\\\one.safetensors"),
        InlineData("C:one.safetensors")]
    [InlineData("sub/one.safetensors"), InlineData("one.bin"), InlineData(""), InlineData("..")]
    [InlineData("one\\u0000.safetensors"), InlineData("\\u0000"), InlineData("one\\n.safetensors"), InlineData("\\u001b[2J.safetensors")]
    public void A_shard_outside_the_folder_is_refused(string shard)
    {
        _folder.Write(Index, $"{{\"weight_map\":{{\"a\":\"{shard}\"}}}}");
        var message = Open().Message;
        Assert.Contains($"{Index}: tensor 'a': shard \"{shard}\" is not allowed: it must be the plain name", message);
        Assert.DoesNotContain(message, char.IsControl);
    }

    [Fact]
    public void A_shard_with_a_longer_name_than_file_systems_take_is_refused()
    {
        _folder.Write(Index, $"{{\"weight_map\":{{\"a\":\"{new string('x', 300)}.safetensors\"}}}}");
        Assert.Contains("of at most 255 bytes", Open().Message);
        Assert.InRange(Open().Message.Length, 0, 400 + _folder.Path.Length);
    }

    [Fact]
    public void Too_many_shards_and_too_many_tensors_in_all_are_refused()
    {
        _folder.Write(Index, "{\"weight_map\":{" + string.Join(',', Enumerable.Range(0, 10_001).Select(i => $"\"{i}\":\"{i}.safetensors\""))
            + "}}");
        Assert.Contains("names 10001 shards; at most 10000", Open().Message);
        foreach (var shard in new[] { "one", "two" })
            _folder.Write(shard + ".safetensors",
                Build("{" + string.Join(',', Enumerable.Range(0, 40_000).Select(i => Entry($"{shard}{i}", "F16", "0", 0, 0))) + "}", 0));
        _folder.Write(Index, "{\"weight_map\":{\"one0\":\"one.safetensors\",\"two0\":\"two.safetensors\"}}");
        Assert.Contains("more than 65536 tensors", Open().Message);
    }

    [Theory]
    [InlineData("{}", "weight_map"), InlineData("{\"weight_map\":[]}", "weight_map"), InlineData("{\"weight_map\":", "not valid JSON")]
    [InlineData("{\"weight_map\":{\"a\":1}}", "plain name"),
        InlineData("{\"weight_map\":{\"a\":\"x.safetensors\",\"a\":\"y.safetensors\"}}", "not valid JSON")]
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
    public void A_tensors_name_neither_steers_nor_fills_the_terminal()
    {
        _folder.Write("model.safetensors", Build("{" + Entry("\\u001b[2J" + new string('x', 100_000), "F32", "3", 0, 8) + "}", 8));
        var message = Open().Message;
        Assert.Contains("tensor '\\u001b[2Jxxx", message);
        Assert.InRange(message.Length, 1000, 5000);
        Assert.DoesNotContain(message, char.IsControl);
    }

    [Fact]
    public void A_tensor_in_two_shards_is_refused_by_name()
    {
        WriteShard("one.safetensors", "a");
        WriteShard("two.safetensors", "a");
        _folder.Write(Index, "{\"weight_map\":{\"a\":\"one.safetensors\",\"b\":\"two.safetensors\"}}");
        Assert.Contains("tensor 'a': is in another shard too", Open().Message);
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
