using System.CommandLine;
using System.Diagnostics;
using System.Globalization;
using DeRa.Benchmarks.Pairs;
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

    private static readonly Argument<string?> s_model = new("MODEL_FOLDER")
    {
        Description = "The model's folder",
        Arity = ArgumentArity.ZeroOrOne,
    };

    private static readonly Option<string?> s_random = new("--random") { Description = "A model of random weights of this size instead" };

    private static readonly Option<string> s_kernels = new("--kernels")
    {
        Description = "What computes products, as the server's --kernels names it",
        DefaultValueFactory = _ => "auto",
    };

    private static readonly Option<string> s_type = new("--dtype")
    {
        Description = "The weights' type, as the server's --dtype names it",
        DefaultValueFactory = _ => "auto",
    };

    /// <summary>Declares it.</summary>
    public static Command Create()
    {
        s_random.AcceptOnlyFromAmong([.. RandomShape.ByName.Keys]);
        var command = new Command("steps", "Times one model's steps on the CPU.") { s_model, s_random, s_kernels, s_type };
        command.Validators.Add(result =>
        {
            if (result.GetValue(s_model) is null == result.GetValue(s_random) is null)
                result.AddError("either MODEL_FOLDER or --random says which model is run.");
        });
        command.SetAction(parsed =>
        {
            var (kernels, type) = (parsed.GetValue(s_kernels)!, parsed.GetValue(s_type)!);
            var output = parsed.InvocationConfiguration.Output;
            if (parsed.GetValue(s_model) is { } folder)
            {
                Run(folder, kernels, type, output);
                return;
            }
            using var random = new RandomPair(RandomShape.ByName[parsed.GetValue(s_random)!]);
            Run(random.Reference, kernels, type, output);
        });
        return command;
    }

    private static void Run(string model, string kernels, string type, TextWriter output)
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
