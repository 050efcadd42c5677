using DeRa.Engine.Scheduling;
using DeRa.Torch.Caching;
using DeRa.Torch.Families;
using DeRa.Torch.Kernels;
using DeRa.Torch.Models;
using DeRa.Torch.Native;
using static TorchSharp.torch;

namespace DeRa.Torch.Verification;

/// <summary>
/// Compares a device's logits with float64 reference logits at every position: in one prefill, in chunks, token by token, and
/// in a batch with the other cases. This shows that CUDA agrees with the CPU.
/// </summary>
public static class GoldenVerification
{
    private const int BlockTokens = 16;

    /// <summary>How a sequence is split into steps: tokens of each step, repeated to its end.</summary>
    private static readonly (string Way, int[] Chunks)[] Ways =
    [
        ("one prefill", [int.MaxValue]),
        ("chunks of 4", [4]),
        ("chunks of 16", [16]),
        ("ragged chunks", [3, 1, 7, 2, 19, 1, 1]),
        ("token by token", [1]),
    ];

    /// <summary>The golden folders of supported architectures at or below a folder, in order.</summary>
    public static IReadOnlyList<string> Find(string root) =>
        Directory.EnumerateFiles(root, "golden.json", SearchOption.AllDirectories)
            .Select(file => Path.GetDirectoryName(Path.GetDirectoryName(file)!)!)
            .Where(IsSupported)
            .Order(StringComparer.Ordinal)
            .ToList();

    /// <summary>Loads a golden folder's model and runs its cases. Loads libtorch where it is not loaded yet.</summary>
    /// <param name="folder">A model folder with <c>golden/golden.json</c>.</param>
    /// <param name="device">Such as <c>cpu</c> or <c>cuda:0</c>.</param>
    /// <param name="numbers">
    /// The element types of weights and cache, and what computes: where numbers are rounded to 16 bits, a derived bound holds, else the
    /// golden tolerance.
    /// </param>
    /// <exception cref="Weights.CheckpointException">The folder cannot be loaded or has no usable golden files.</exception>
    /// <exception cref="LibTorchException">libtorch or the device does not work.</exception>
    public static GoldenReport Run(string folder, DeviceOption device, NumberOptions numbers)
    {
        var target = device.Resolve(LibTorch.Load()).Reference;
        var cases = GoldenCase.Load(folder);
        var config = ModelConfigReader.Load(folder);
        using var model = DecoderLoader.Load(folder, config, target, numbers, onProgress: null, CancellationToken.None);
        using var inference = inference_mode();
        var bound = GoldenBound.For(model);
        var checks = new List<GoldenCheck>();
        foreach (var (way, chunks) in Ways)
            foreach (var golden in cases) checks.Add(Compare(golden, way, RunCases(model, [golden], chunks)[0], model, bound));
        foreach (var (golden, logits) in cases.Zip(RunCases(model, cases, [5, 1, 9])))
            checks.Add(Compare(golden, "batch of all cases", logits, model, bound));
        return new GoldenReport(
            folder, target.ToString(), model.WeightType.ToString(), model.IsPacked ? MatrixProduct.VectorBits : null, checks);
    }

    private static bool IsSupported(string folder)
    {
        try
        {
            ModelConfigReader.Load(folder);
            return true;
        }
        catch (Weights.CheckpointException)
        {
            return false;
        }
    }

    /// <summary>The logits of all positions of every case, run side by side: [tokens · vocabulary] each.</summary>
    private static List<List<float>> RunCases(DecoderModel model, IReadOnlyList<GoldenCase> cases, int[] chunks)
    {
        var blocksPerCase = (cases.Max(golden => golden.Tokens.Length) + BlockTokens - 1) / BlockTokens;
        using var cache = new KvCache(model.Config, cases.Count * blocksPerCase, BlockTokens, model.Cache);
        var logits = cases.Select(_ => new List<float>()).ToList();
        var done = new int[cases.Count];
        for (var step = 0; ; step++)
        {
            var running = Enumerable.Range(0, cases.Count).Where(i => done[i] < cases[i].Tokens.Length).ToList();
            if (running.Count == 0) return logits;
            var rows = running.Select(i => Row(cases[i], done[i], chunks[(step + i) % chunks.Length], i, blocksPerCase)).ToList();
            var outputs = RunStep(model, cache, rows);
            var next = 0;
            foreach (var (i, row) in running.Zip(rows))
            {
                var numbers = row.Tokens * cases[i].VocabularySize;
                logits[i].AddRange(outputs.AsSpan(next, numbers));
                next += numbers;
                done[i] += row.Tokens;
            }
        }
    }

    private static ModelRow Row(GoldenCase golden, int position, int chunk, int index, int blocksPerCase)
    {
        var tokens = golden.Tokens.AsMemory(position, Math.Min(chunk, golden.Tokens.Length - position));
        return new ModelRow(new PassRow
        {
            Branch = index,
            Model = 0,
            Tokens = tokens,
            Position = position,
            // Blocks in falling order: an attention that ignores the table would read the wrong ones.
            BlockTable = Enumerable.Range(0, blocksPerCase).Select(block => (index + 1) * blocksPerCase - 1 - block).ToList(),
            OutputCount = tokens.Length,
        });
    }

    private static float[] RunStep(DecoderModel model, KvCache cache, IReadOnlyList<ModelRow> rows)
    {
        using var scope = NewDisposeScope();
        var step = new ModelStep(rows, model.Config.WindowTokens, BlockTokens, model.Device, model.ActivationType);
        return model.Logits(model.Forward(step, cache)).to(ScalarType.Float32).cpu().data<float>().ToArray();
    }

    private static GoldenCheck Compare(GoldenCase golden, string way, List<float> logits, DecoderModel model, double bound)
    {
        var largest = golden.Logits.Zip(logits, (expected, actual) => Math.Abs(expected - actual))
            .Max(difference => double.IsFinite(difference) ? difference : double.PositiveInfinity);
        var greedyDiffers = Enumerable.Range(0, golden.Tokens.Length - golden.InputIds.Length + 1)
            .Where(j => j < golden.GreedyIds.Length)
            .Count(j => ArgMax(logits, golden.InputIds.Length - 1 + j, golden.VocabularySize) != golden.GreedyIds[j]);
        var passed = logits.Count == golden.Logits.Length && largest <= bound
            && (greedyDiffers == 0 || bound > GoldenBound.Float32);
        return new GoldenCheck(golden.Name, way, largest, bound, greedyDiffers, passed);
    }

    private static int ArgMax(List<float> logits, int row, int columns)
    {
        var best = 0;
        for (var column = 1; column < columns; column++)
            if (logits[row * columns + column] > logits[row * columns + best]) best = column;
        return best;
    }
}
