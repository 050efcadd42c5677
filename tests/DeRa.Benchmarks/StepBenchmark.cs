using System.Diagnostics;
using System.Globalization;
using DeRa.Engine.Requests;
using DeRa.Engine.Scheduling;
using DeRa.Torch.Execution;
using DeRa.Torch.Native;
using Microsoft.Extensions.Logging.Abstractions;

namespace DeRa.Benchmarks;

/// <summary>
/// What one model's steps take on the CPU: some rows of one token each, from a context of 128, and a prompt; medians. A run measures one
/// choice of kernels: libtorch's threads spin after their work, and would slow ours down in the same process.
/// </summary>
internal static class StepBenchmark
{
    private const int WarmUpRounds = 10, Rounds = 21, Context = 128, PromptTokens = 512, BlockTokens = 16;

    private static readonly int[] s_rows = [1, 2, 3, 4, 8];

    /// <summary>Measures a model.</summary>
    /// <param name="model">Its folder.</param>
    /// <param name="kernels">What computes products, as <c>--kernels</c> names it.</param>
    /// <param name="type">The weights' type, as <c>--dtype</c> names it.</param>
    /// <param name="output">Takes the table.</param>
    public static void Run(string model, string kernels, string type, TextWriter output)
    {
        var pair = Load(model, kernels, type);
        using var executor = pair.Executor;
        output.WriteLine($"kernels {kernels}, weights {pair.Members[0].DType}");
        output.WriteLine("step                    ms  over 1 row  GB/s of weights");
        var one = 0.0;
        foreach (var rows in s_rows)
        {
            var seconds = MedianSeconds(executor, Plan(rows, tokens: 1, Context));
            if (rows == 1) one = seconds;
            output.WriteLine(string.Create(CultureInfo.InvariantCulture,
                $"{rows} x 1 token {1e3 * seconds,14:F2}  {seconds / one,10:F2}  {pair.Members[0].WeightBytes / seconds / 1e9,15:F1}"));
        }
        var prompt = MedianSeconds(executor, Plan(rows: 1, PromptTokens, position: 0));
        output.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"{PromptTokens} tokens {1e3 * prompt,15:F2}  {prompt / one,10:F2}  {PromptTokens / prompt,9:F0} tokens/s"));
    }

    private static LoadedPair Load(string model, string kernels, string type) => PairLoader.Load(new PairOptions
    {
        ReferencePath = model,
        Aligned = [new AlignedFolder("aligned", model)],
        Device = DeviceOption.Cpu,
        DType = DTypeOption.Parse(type),
        Kernels = KernelsOption.Parse(kernels),
        CacheTokens = 2048,
        BlockTokens = BlockTokens,
    }, vocabularySize: int.MaxValue, progress: null, NullLogger.Instance);

    private static double MedianSeconds(PairExecutor executor, StepPlan plan)
    {
        var seconds = new List<double>();
        for (var round = -WarmUpRounds; round < Rounds; round++)
        {
            var began = Stopwatch.GetTimestamp();
            executor.Execute(plan);
            if (round >= 0) seconds.Add(Stopwatch.GetElapsedTime(began).TotalSeconds);
        }
        return seconds.Order().ElementAt(Rounds / 2);
    }

    private static StepPlan Plan(int rows, int tokens, int position)
    {
        var blocks = (position + tokens + BlockTokens - 1) / BlockTokens;
        return new StepPlan(
            [new ModelPass(0, [.. Enumerable.Range(0, rows).Select(row => new PassRow
            {
                Branch = row,
                Model = 0,
                Tokens = Enumerable.Range(1, tokens).ToArray(),
                Position = position,
                BlockTable = [.. Enumerable.Range(row * blocks, blocks)],
                OutputCount = 1,
            })])],
            [.. Enumerable.Range(0, rows).Select(row => new Readout
            {
                Branch = row,
                Strengths = 0.0,
                Sources = [LogitSource.Of(row, 0)],
                Sampling = new SamplingRow
                {
                    Parameters = new SamplingParameters { Temperature = 0 },
                    NoiseKey = 0,
                    History = ReadOnlyMemory<int>.Empty,
                    PromptTokens = 0,
                },
            })]);
    }
}
