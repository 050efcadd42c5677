using System.Buffers.Binary;
using DeRa.Testing;
using DeRa.Torch.Weights;
using TorchSharp;
using Xunit;
using static DeRa.Torch.Tests.Weights.Safetensors;

namespace DeRa.Torch.Tests.Weights;

public sealed class SafetensorsHeaderTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void A_valid_header_says_where_tensors_lie()
    {
        var header = "{\"__metadata__\":{\"format\":\"pt\"}," + Entry("b", "BF16", "2,3", 8, 20) + "," + Entry("a", "F32", "2", 0, 8)
            + "}   ";
        var tensors = Read(Build(header, 20));
        Assert.Equal(["b", "a"], tensors.Select(tensor => tensor.Name));
        Assert.Equal((torch.ScalarType.BFloat16, 8 + header.Length + 8L, 12L),
            (tensors[0].Type, tensors[0].OffsetBytes, tensors[0].LengthBytes));
        Assert.Equal([2L, 3L], tensors[0].Shape);
    }

    [Fact]
    public void Scalars_and_empty_tensors_are_allowed()
    {
        var tensors =
            Read(Build("{" + Entry("scalar", "F32", "", 0, 4) + "," + Entry("empty", "F16", "0,9223372036854775807", 4, 4) + "}", 4));
        Assert.Equal([1L, 0L], tensors.Select(tensor => tensor.ElementCount));
    }

    public static TheoryData<string, string, string, int> Broken { get; } = new()
    {
        { "overlap", "overlaps", "{" + Entry("a", "F32", "2", 0, 8) + "," + Entry("b", "F32", "2", 4, 12) + "}", 12 },
        { "the same bytes twice", "overlaps", "{" + Entry("a", "F32", "2", 0, 8) + "," + Entry("b", "F32", "2", 0, 8) + "}", 8 },
        { "a gap", "belong to no tensor", "{" + Entry("a", "F32", "2", 0, 8) + "," + Entry("b", "F32", "2", 12, 20) + "}", 20 },
        { "a gap at the start", "belong to no tensor", "{" + Entry("a", "F32", "2", 4, 12) + "}", 12 },
        { "bytes at the end", "belong to no tensor", "{" + Entry("a", "F32", "2", 0, 8) + "}", 9 },
        { "beyond the end", "beyond the end", "{" + Entry("a", "F32", "2", 0, 8) + "}", 7 },
        { "shape product", "does not fill", "{" + Entry("a", "F32", "3", 0, 8) + "}", 8 },
        { "shape overflow", "does not fill", "{" + Entry("a", "F32", "4294967296,4294967296", 0, 8) + "}", 8 },
        { "shape overflow to zero", "does not fill", "{" + Entry("a", "F32", "4611686018427387904,4", 0, 0) + "}", 0 },
        { "negative shape", "shape must be", "{" + Entry("a", "F32", "-2", 0, 8) + "}", 8 },
        { "65 dimensions", "at most 64 whole numbers", "{" + Entry("a", "F32", "0" + string.Concat(Enumerable.Repeat(",0", 64)), 0, 0)
            + "}", 0 },
        { "fractional shape", "shape must be", "{" + Entry("a", "F32", "2.5", 0, 8) + "}", 8 },
        { "negative offset", "data_offsets", "{" + Entry("a", "F32", "2", -8, 0) + "}", 8 },
        { "offsets backwards", "data_offsets", "{" + Entry("a", "F32", "2", 8, 0) + "}", 8 },
        { "huge offsets", "beyond the end", "{" + Entry("a", "F32", "2", long.MaxValue - 8, long.MaxValue) + "}", 8 },
        { "an unknown dtype", "dtype F128 is not known (weights may be F32, F16, BF16)", "{" + Entry("a", "F128", "1", 0, 16) + "}", 16 },
        { "half a byte", "does not fill", "{" + Entry("a", "F4", "3", 0, 1) + "}", 1 },
        { "no dtype", "missing", "{\"a\":{\"shape\":[2],\"data_offsets\":[0,8]}}", 8 },
        { "three offsets", "data_offsets", "{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8,8]}}", 8 },
        { "unknown field", "'stride'", "{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8],\"stride\":1}}", 8 },
        { "NaN", "not valid JSON", "{\"a\":{\"dtype\":\"F32\",\"shape\":[NaN],\"data_offsets\":[0,8]}}", 8 },
        { "no object", "not a JSON object", "[1]", 0 },
        { "entry no object", "not an object", "{\"a\":3}", 0 },
        { "cut off JSON", "not valid JSON", "{\"a\":{\"dtype\":\"F32\"", 0 },
        { "duplicate name", "not valid JSON", "{" + Entry("a", "F32", "2", 0, 8) + "," + Entry("a", "F32", "2", 0, 8) + "}", 8 },
        { "lone surrogate", "not valid JSON", "{" + Entry("\\ud800", "F32", "2", 0, 8) + "}", 8 },
        { "too deep", "not valid JSON", "{\"a\":[[[[[[[[[[[[1]]]]]]]]]]]]}", 0 },
    };

    [Theory, MemberData(nameof(Broken))]
    public void A_broken_header_is_refused_with_its_reason(string what, string reason, string header, int dataBytes)
    {
        var exception = Assert.Throws<CheckpointException>(() => Read(Build(header, dataBytes)));
        Assert.True(exception.Message.Contains(reason), $"{what}: {exception.Message}");
        Assert.StartsWith(exception.Path, exception.Message);
    }

    [Fact]
    public void Every_type_of_the_format_has_its_size()
    {
        (string Type, int Bits)[] types =
        [
            ("F4", 4), ("F6_E2M3", 6), ("F6_E3M2", 6), ("BOOL", 8), ("U8", 8), ("I8", 8), ("F8_E4M3", 8), ("F8_E5M2", 8), ("F8_E8M0", 8),
            ("U16", 16), ("I16", 16), ("F16", 16), ("BF16", 16), ("U32", 32), ("I32", 32), ("F32", 32), ("U64", 64), ("I64", 64),
                ("F64", 64), ("C64", 64),
        ];
        foreach (var (type, bits) in types)
            Assert.Equal((type, 8),
                (Read(Build("{" + Entry("a", type, "2,4", 0, bits) + "}", bits)).Single() is var a ? a.TypeName : "", a.ElementCount));
    }

    [Fact]
    public void A_header_that_names_more_tensors_than_any_model_has_is_refused()
    {
        var names = Enumerable.Range(0, SafetensorsHeader.MaxTensors + 1).Select(i => Entry($"{i}", "F16", "0", 0, 0));
        Assert.Contains("more than 65536 tensors",
            Assert.Throws<CheckpointException>(() => Read(Build("{" + string.Join(',', names) + "}", 0))).Message);
    }

    [Theory]
    [InlineData(0), InlineData(7)]
    public void A_file_without_a_whole_length_is_refused(int bytes) =>
        Assert.Contains("not a safetensors file", Assert.Throws<CheckpointException>(() => Read(new byte[bytes])).Message);

    [Theory]
    [InlineData(16_777_217UL), InlineData(100_000_001UL), InlineData(ulong.MaxValue), InlineData(9UL), InlineData(1UL << 63)]
    public void A_header_longer_than_file_or_limit_is_refused(ulong length)
    {
        var file = new byte[16];
        BinaryPrimitives.WriteUInt64LittleEndian(file, length);
        Assert.Contains("header length", Assert.Throws<CheckpointException>(() => Read(file)).Message);
    }

    [Fact]
    public void A_missing_file_is_refused_by_name() =>
        Assert.Contains("none.safetensors",
            Assert.Throws<CheckpointException>(() => SafetensorsFile.Open(Path.Combine(_folder.Path, "none.safetensors"))).Message);

    [Fact]
    public void Damaged_bytes_are_refused_or_harmless_but_never_another_failure()
    {
        var valid = File.ReadAllBytes(GoldenData.Committed("pair/sft/model.safetensors"));
        var headerBytes = (int)BinaryPrimitives.ReadUInt64LittleEndian(valid);
        var random = new Random(20260706);
        var refused = 0;
        for (var round = 0; round < 1500; round++)
        {
            var damaged = Damage(valid, headerBytes, random);
            var path = _folder.Write("damaged.safetensors", damaged);
            try
            {
                Assert.All(SafetensorsHeader.Read(path), tensor => Assert.True(tensor.OffsetBytes + tensor.LengthBytes <= damaged.Length));
            }
            catch (CheckpointException)
            {
                refused++;
            }
        }
        Assert.InRange(refused, 500, 1499);
    }

    private static byte[] Damage(byte[] valid, int headerBytes, Random random)
    {
        if (random.Next(4) == 0) return valid[..random.Next(valid.Length)];
        var damaged = valid.ToArray();
        for (var change = random.Next(1, 4); change > 0; change--)
        {
            // The length and the numbers in the header are where damage could pass unseen.
            var place = random.Next(8) == 0 ? random.Next(8) : 8 + random.Next(headerBytes);
            damaged[place] = random.Next(2) == 0 ? (byte)random.Next(256) : (byte)"0123456789[]{}\",:-"[random.Next(18)];
        }
        return damaged;
    }

    private IReadOnlyList<StoredTensor> Read(byte[] file) => SafetensorsHeader.Read(_folder.Write("test.safetensors", file));
}
