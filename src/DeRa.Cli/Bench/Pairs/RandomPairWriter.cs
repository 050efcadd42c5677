using System.Globalization;
using System.Runtime.InteropServices;
using System.Text.Json;

namespace DeRa.Cli.Bench.Pairs;

/// <summary>
/// Writes two models of random weights, each a Hugging Face checkpoint in bfloat16: a reference model with the weights of one that has not
/// been trained (normal, deviation 0.02; norms 1), and an aligned model that is the reference and noise. The same ones each time.
/// </summary>
internal sealed class RandomPairWriter
{
    /// <summary>Folders of the two models.</summary>
    public const string Reference = "reference", Aligned = "aligned";

    private const int PartElements = 1 << 20;

    /// <summary>What is written beside the weights; generous.</summary>
    private const long OtherBytes = 64L << 20;

    private readonly RandomShape _shape;
    private readonly RandomWeights _weights;
    private readonly TextWriter _progress;
    private readonly Lock _gate = new();
    private readonly long _elements;
    private long _written;
    private int _shownTenths;

    private RandomPairWriter(RandomShape shape, double noise, TextWriter progress)
    {
        (_shape, _weights, _progress) = (shape, new RandomWeights(noise), progress);
        _elements = shape.Tensors().Sum(tensor => RandomTensorFile.Count(tensor.Shape));
    }

    /// <summary>Writes both models. Where it fails or is cancelled nothing is left of them.</summary>
    /// <param name="shape">The shape of both.</param>
    /// <param name="noise">Deviation of the noise over that of the weights; at least 0.</param>
    /// <param name="folder">Takes their folders, which it does not hold yet.</param>
    /// <param name="progress">Takes lines.</param>
    /// <param name="cancellation">Stops it.</param>
    /// <exception cref="IOException">The disk has no room, or cannot be written.</exception>
    public static void Write(RandomShape shape, double noise, string folder, TextWriter progress, CancellationToken cancellation)
    {
        var writer = new RandomPairWriter(shape, noise, progress);
        Directory.CreateDirectory(folder);
        writer.CheckSpace(folder);
        try
        {
            writer.WriteModels(folder, cancellation);
        }
        catch
        {
            foreach (var model in (string[])[Reference, Aligned])
                if (Directory.Exists(Path.Combine(folder, model))) Directory.Delete(Path.Combine(folder, model), recursive: true);
            throw;
        }
    }

    private void CheckSpace(string folder)
    {
        var full = Path.GetFullPath(folder);
        var free = new DriveInfo(OperatingSystem.IsWindows() ? Path.GetPathRoot(full)! : full).AvailableFreeSpace;
        var needed = 2 * sizeof(ushort) * _elements + OtherBytes;
        if (free < needed)
            throw new IOException(string.Create(CultureInfo.InvariantCulture,
                $"the random pair takes {Gigabytes(needed)} GB, and {full} has {Gigabytes(free)} GB free."));
        _progress.WriteLine($"Writing two models of random weights, {Gigabytes(needed)} GB, to {full}");
    }

    private static string Gigabytes(long bytes) => (bytes / 1e9).ToString("F1", CultureInfo.InvariantCulture);

    private void WriteModels(string folder, CancellationToken cancellation)
    {
        using var reference = Begin(Path.Combine(folder, Reference));
        using var aligned = Begin(Path.Combine(folder, Aligned));
        var options = new ParallelOptions { CancellationToken = cancellation, MaxDegreeOfParallelism = Environment.ProcessorCount };
        Parallel.ForEach(Parts(), options, Buffers, (part, _, buffers) =>
        {
            var weights = buffers.Weights.AsSpan(0, part.Count);
            var noisy = buffers.Noisy.AsSpan(0, part.Count);
            if (part.IsNorm)
            {
                weights.Fill(RandomWeights.Rounded(1));
                noisy.Fill(RandomWeights.Rounded(1));
            }
            else
            {
                _weights.Draw((ulong)part.First, weights, noisy);
            }
            reference.Write(part.First, MemoryMarshal.AsBytes(weights));
            aligned.Write(part.First, MemoryMarshal.AsBytes(noisy));
            Show(part.Count);
            return buffers;
        }, _ => { });

        static (ushort[] Weights, ushort[] Noisy) Buffers() => (new ushort[PartElements], new ushort[PartElements]);
    }

    private RandomTensorFile Begin(string folder)
    {
        Directory.CreateDirectory(folder);
        File.WriteAllText(Path.Combine(folder, "config.json"), JsonSerializer.Serialize(_shape.Config));
        File.WriteAllText(Path.Combine(folder, "tokenizer.json"), RandomTokenizer.Create(_shape.Vocabulary).ToJsonString());
        File.WriteAllText(Path.Combine(folder, "tokenizer_config.json"), RandomTokenizer.Config.ToJsonString());
        return new RandomTensorFile(Path.Combine(folder, "model.safetensors"), _shape.Tensors());
    }

    /// <summary>Parts of tensors, which know where in the file they are: that is their seed, too.</summary>
    private IEnumerable<(long First, int Count, bool IsNorm)> Parts()
    {
        var first = 0L;
        foreach (var (_, shape) in _shape.Tensors())
        {
            var left = RandomTensorFile.Count(shape);
            for (; left > 0; left -= PartElements)
            {
                var count = (int)Math.Min(left, PartElements);
                yield return (first, count, shape.Length == 1);
                first += count;
            }
        }
    }

    private void Show(int elements)
    {
        lock (_gate)
        {
            _written += elements;
            var tenths = (int)(10 * _written / _elements);
            if (tenths == _shownTenths) return;
            _shownTenths = tenths;
            _progress.WriteLine($"  {10 * tenths} %");
        }
    }
}
