using System.Runtime.InteropServices;
using DeRa.Testing;
using DeRa.Torch.Layouts;
using DeRa.Torch.Native;
using DeRa.Torch.Weights;
using Xunit;
using static DeRa.Torch.Tests.Weights.Safetensors;
using static TorchSharp.torch;

namespace DeRa.Torch.Tests.Weights;

public sealed class WeightReaderTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private long _loaded;

    public WeightReaderTests() => LibTorch.Load();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Every_stored_type_reads_as_every_element_type()
    {
        float[] values = [1.5f, -2, 0.25f, 0, 3, -0.125f];
        var data = MemoryMarshal.AsBytes(values.AsSpan()).ToArray()
            .Concat(values.SelectMany(value => BitConverter.GetBytes((Half)value)))
            .Concat(values.SelectMany(value => BitConverter.GetBytes((ushort)(BitConverter.SingleToUInt32Bits(value) >> 16)))).ToArray();
        _folder.Write("model.safetensors", Build(
            "{" + Entry("wide", "F32", "2,3", 0, 24) + "," + Entry("half", "F16", "2,3", 24, 36) + ","
                + Entry("brain", "BF16", "2,3", 36, 48) + "}", data));
        using var checkpoint = Checkpoint.Open(_folder.Path);
        using var scope = NewDisposeScope();
        foreach (var type in new[] { ScalarType.Float32, ScalarType.Float16, ScalarType.BFloat16 })
            foreach (var name in checkpoint.Names)
            {
                var tensor = Reader(checkpoint, type).Read(name, 2, 3);
                Assert.Equal((type, 2L, 3L), (tensor.dtype, tensor.size(0), tensor.size(1)));
                Assert.Equal(values, tensor.to(ScalarType.Float32).data<float>().ToArray());
            }
        Assert.Equal(3 * 48, _loaded);
    }

    [Theory]
    [InlineData(ScalarType.Float32), InlineData(ScalarType.BFloat16)]
    public void Memory_is_filled_through_any_view_in_the_order_of_the_file(ScalarType type)
    {
        float[] values = [.. Enumerable.Range(1, 12).Select(i => (float)i)];
        _folder.Write("model.safetensors",
            Build("{" + Entry("a", "F32", "12", 0, 48) + "}", MemoryMarshal.AsBytes(values.AsSpan()).ToArray()));
        using var checkpoint = Checkpoint.Open(_folder.Path);
        using var scope = NewDisposeScope();
        var reader = Reader(checkpoint, type);
        Assert.Equal([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12], Filled(reader, [4, 3], new LinearPart("a", 4).WeightAsStored));
        // Stored as [3 inputs, 4 outputs].
        Assert.Equal([1, 5, 9, 2, 6, 10, 3, 7, 11, 4, 8, 12],
            Filled(reader, [4, 3], new LinearPart("a", 4, IsTransposed: true).WeightAsStored));
        // Two heads of three parts of one output: rows head 0 (a, b, c), head 1 (a, b, c) → a, a, b, b, c, c.
        Assert.Equal([1, 2, 7, 8, 3, 4, 9, 10, 5, 6, 11, 12],
            Filled(reader, [6, 2], new LinearPart("a", 6, InterleavedHeads: 2).WeightAsStored));
        Assert.Equal([1, 2, 7, 8, 3, 4, 9, 10, 5, 6, 11, 12],
            Filled(reader, [12], new LinearPart("a", 12, InterleavedHeads: 2).OutputsAsStored));
    }

    private static float[] Filled(WeightReader reader, long[] shape, Func<Tensor, Tensor> view)
    {
        var tensor = reader.Empty(shape);
        reader.Fill(view(tensor), "a");
        return tensor.to(ScalarType.Float32).data<float>().ToArray();
    }

    [Fact]
    public void A_tensor_of_several_pieces_is_read_to_its_end()
    {
        const int elements = 35_000_000; // 70 MB: more than one piece
        var path = _folder.Write("model.safetensors", Build("{" + Entry("long", "BF16", $"{elements}", 0, 2 * elements) + "}", 0));
        using (var file = File.OpenWrite(path))
        {
            file.SetLength(file.Length + 2 * elements);
            file.Seek(-2, SeekOrigin.End);
            file.Write([0x80, 0x3f]); // 1
        }
        using var checkpoint = Checkpoint.Open(_folder.Path);
        using var scope = NewDisposeScope();
        foreach (var type in new[] { ScalarType.Float32, ScalarType.BFloat16 })
        {
            var tensor = Reader(checkpoint, type).Read("long", elements);
            Assert.Equal(1, tensor.sum(ScalarType.Float32).item<float>());
            Assert.Equal(1, tensor[elements - 1].to(ScalarType.Float32).item<float>());
        }
    }

    [Fact]
    public void Cancelling_stops_the_reading()
    {
        _folder.Write("model.safetensors", Build("{" + Entry("a", "F32", "2", 0, 8) + "}", 8));
        using var checkpoint = Checkpoint.Open(_folder.Path);
        using var scope = NewDisposeScope();
        var reader = new WeightReader(checkpoint, CPU, ScalarType.Float32, _ => { }, new CancellationToken(canceled: true));
        Assert.Throws<OperationCanceledException>(() => reader.Read("a", 2));
    }

    private WeightReader Reader(Checkpoint checkpoint, ScalarType type) =>
        new(checkpoint, CPU, type, bytes => _loaded += bytes, CancellationToken.None);
}
