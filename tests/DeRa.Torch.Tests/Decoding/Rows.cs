using DeRa.Engine.Requests;
using DeRa.Engine.Scheduling;
using DeRa.Torch.Decoding;
using TorchSharp;
using Xunit;

namespace DeRa.Torch.Tests.Decoding;

/// <summary>The two ways to read logits out.</summary>
public enum ReadoutPath
{
    /// <summary>The kernel for the host's memory.</summary>
    Kernel,

    /// <summary>libtorch's operators.</summary>
    Operators,
}

/// <summary>Short ways to write rows of logits and to run them.</summary>
internal static class Rows
{
    public static LogitRow Sampled(double strength, SamplingParameters parameters, ulong noiseKey = 0, int? logProbs = null,
        int[]? prompt = null, int[]? output = null) => new()
        {
            Strengths = strength,
            Sampling = new SamplingRow
            {
                Parameters = parameters,
                NoiseKey = noiseKey,
                History = (int[])[.. prompt ?? [], .. output ?? []],
                PromptTokens = prompt?.Length ?? 0,
                LogProbs = logProbs,
            },
        };

    public static LogitRow Scored(double strength, int token, int alternatives = 0) =>
        new() { Strengths = strength, Score = (token, alternatives) };

    /// <summary>The key of one of many draws.</summary>
    public static ulong Key(int draw) => GumbelNoise.Key(seed: 20, choiceIndex: 0, stream: 0, draw);

    /// <summary>Runs both paths, which must give the same tokens and errors; returns what the kernel gives.</summary>
    public static ReadoutResult[] Run(float[][] reference, float[][] aligned, LogitRow[] rows, int? vocabularySize = null)
    {
        var size = vocabularySize ?? reference[0].Length;
        var results = Run(ReadoutPath.Kernel, reference, aligned, rows, size);
        var others = Run(ReadoutPath.Operators, reference, aligned, rows, size);
        Assert.Equal(others.Select(result => (result.Token, result.Error)), results.Select(result => (result.Token, result.Error)));
        return results;
    }

    /// <summary>Gives each model the rows that it must run, as the executor does.</summary>
    public static ReadoutResult[] Run(ReadoutPath path, float[][] reference, float[][] aligned, LogitRow[] rows,
        int vocabularySize, torch.ScalarType type = torch.ScalarType.Float32, torch.Device? device = null)
    {
        using var scope = torch.NewDisposeScope();
        ModelLogits[] members =
        [
            Logits(reference, rows, row => row.Strengths.Reference != 0, type, device),
            Logits(aligned, rows, row => row.Strengths[0] != 0, type, device),
        ];
        return Run(path, members, rows, vocabularySize);
    }

    /// <summary>Runs one path.</summary>
    public static ReadoutResult[] Run(ReadoutPath path, IReadOnlyList<ModelLogits> members, IReadOnlyList<LogitRow> rows,
        int vocabularySize, MeanDifferences? means = null)
    {
        if (path == ReadoutPath.Operators) return DeviceReadout.Run(members, rows, vocabularySize, means);
        var results = new ReadoutResult[rows.Count];
        CpuReadout.Run(members, rows, vocabularySize, means, results);
        return results;
    }

    /// <summary>Runs what the executor runs.</summary>
    public static ReadoutResult[] Run(IReadOnlyList<ModelLogits> members, IReadOnlyList<LogitRow> rows, int vocabularySize)
    {
        var results = new ReadoutResult[rows.Count];
        MixFilterSample.Run(members, rows, vocabularySize, means: null, results);
        return results;
    }

    private static ModelLogits Logits(
        float[][] logits, LogitRow[] rows, Predicate<LogitRow> runs, torch.ScalarType type, torch.Device? device)
    {
        int[] ran = [.. Enumerable.Range(0, rows.Length).Where(row => runs(rows[row]))];
        if (ran.Length == 0) return ModelLogits.None;
        float[] flat = [.. ran.SelectMany(row => logits[row])];
        return new ModelLogits(torch.tensor(flat, [ran.Length, logits[0].Length]).to(type).to(device ?? torch.CPU), ran);
    }
}
