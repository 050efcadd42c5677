using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace DeRa.Benchmarks.Pairs;

/// <summary>
/// Two models of random weights in a temporary folder, each a Hugging Face checkpoint in bfloat16: a reference model with the weights of
/// one that has not been trained (normal, deviation 0.02; norms 1), and an aligned model that is the reference and noise.
/// </summary>
internal sealed class RandomPair : IDisposable
{
    private const float Deviation = .02f, NoiseDeviation = .002f;

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("dera-random-pair-");
    private readonly Random _random = new(1);

    /// <summary>Writes the pair, the same one each time.</summary>
    /// <param name="shape">The shape of both models.</param>
    public RandomPair(RandomShape shape)
    {
        try
        {
            Write(shape);
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    /// <summary>The reference model's folder.</summary>
    public string Reference => Path.Combine(_folder.FullName, "reference");

    /// <summary>The aligned model's folder.</summary>
    public string Aligned => Path.Combine(_folder.FullName, "aligned");

    public void Dispose() => _folder.Delete(recursive: true);

    private void Write(RandomShape shape)
    {
        foreach (var folder in (string[])[Reference, Aligned])
        {
            Directory.CreateDirectory(folder);
            File.WriteAllText(Path.Combine(folder, "config.json"), JsonSerializer.Serialize(shape.Config));
            File.WriteAllText(Path.Combine(folder, "tokenizer.json"), RandomTokenizer.Create(shape.Vocabulary).ToJsonString());
        }
        using var reference = Begin(Reference, shape);
        using var aligned = Begin(Aligned, shape);
        foreach (var (_, size) in shape.Tensors())
        {
            var (weights, noisy) = Weights(size);
            reference.Write(MemoryMarshal.AsBytes<ushort>(weights));
            aligned.Write(MemoryMarshal.AsBytes<ushort>(noisy));
        }
    }

    /// <summary>A safetensors file up to its data: the length of the header in 64 bits, then the header in JSON.</summary>
    private static FileStream Begin(string folder, RandomShape shape)
    {
        var (tensors, end) = (new JsonObject(), 0L);
        foreach (var (name, size) in shape.Tensors())
        {
            var begin = end;
            end += sizeof(ushort) * Count(size);
            tensors[name] = JsonSerializer.SerializeToNode(new { dtype = "BF16", shape = size, data_offsets = (long[])[begin, end] });
        }
        var header = JsonSerializer.SerializeToUtf8Bytes(tensors);
        Span<byte> length = stackalloc byte[sizeof(ulong)];
        BinaryPrimitives.WriteUInt64LittleEndian(length, (ulong)header.Length);
        var file = File.Create(Path.Combine(folder, "model.safetensors"));
        file.Write(length);
        file.Write(header);
        return file;
    }

    private static long Count(int[] size) => size.Aggregate(1L, (product, dimension) => product * dimension);

    /// <summary>The same tensor of both models, in bfloat16. Vectors are norms, which are 1.</summary>
    private (ushort[] Reference, ushort[] Aligned) Weights(int[] size)
    {
        var (reference, aligned) = (new ushort[Count(size)], new ushort[Count(size)]);
        for (var i = 0; i < reference.Length; i++)
        {
            var (weight, noise) = size.Length == 1 ? (1, 0) : Normal();
            (reference[i], aligned[i]) = (Rounded(weight), Rounded(weight + noise));
        }
        return (reference, aligned);

        // Two independent numbers (Box and Muller 1958).
        (float Weight, float Noise) Normal()
        {
            var radius = MathF.Sqrt(-2 * MathF.Log(1 - _random.NextSingle()));
            var (sine, cosine) = MathF.SinCos(2 * MathF.PI * _random.NextSingle());
            return (Deviation * radius * sine, NoiseDeviation * radius * cosine);
        }
    }

    /// <summary>The upper half of a float32, rounded to nearest, ties to even.</summary>
    private static ushort Rounded(float value)
    {
        var bits = BitConverter.SingleToUInt32Bits(value);
        return (ushort)((bits + 0x7FFF + ((bits >> 16) & 1)) >> 16);
    }
}
