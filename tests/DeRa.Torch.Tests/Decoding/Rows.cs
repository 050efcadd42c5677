using DeRa.Engine.Requests;
using DeRa.Engine.Scheduling;
using DeRa.Torch.Decoding;
using TorchSharp;

namespace DeRa.Torch.Tests.Decoding;

/// <summary>Short ways to write rows of logits and to run them.</summary>
internal static class Rows
{
    public static LogitRow Sampled(double strength, SamplingParameters parameters, double draw = 0, int? logProbs = null,
        int[]? prompt = null, int[]? output = null) => new()
        {
            Strengths = strength,
            Sampling = new SamplingRow
            {
                Parameters = parameters,
                Draw = draw,
                History = (int[])[.. prompt ?? [], .. output ?? []],
                PromptTokens = prompt?.Length ?? 0,
                LogProbs = logProbs,
            },
        };

    public static LogitRow Scored(double strength, int token, int alternatives = 0) =>
        new() { Strengths = strength, Score = (token, alternatives) };

    /// <summary>Gives each model the rows that it must run, as the executor does.</summary>
    public static LogitRowResult[] Run(float[][] reference, float[][] aligned, LogitRow[] rows, int? vocabularySize = null) =>
        Run(reference, aligned, rows, vocabularySize ?? reference[0].Length, torch.ScalarType.Float32);

    public static LogitRowResult[] Run(float[][] reference, float[][] aligned, LogitRow[] rows, int vocabularySize, torch.ScalarType type)
    {
        using var scope = torch.NewDisposeScope();
        return MixFilterSample.Run(
            [Logits(reference, rows, row => row.Strengths.Reference != 0, type), Logits(aligned, rows, row => row.Strengths[0] != 0, type)],
            rows, vocabularySize);
    }

    private static ModelLogits Logits(float[][] logits, LogitRow[] rows, Predicate<LogitRow> runs, torch.ScalarType type)
    {
        int[] ran = [.. Enumerable.Range(0, rows.Length).Where(row => runs(rows[row]))];
        if (ran.Length == 0) return ModelLogits.None;
        float[] flat = [.. ran.SelectMany(row => logits[row])];
        return new ModelLogits(torch.tensor(flat, [ran.Length, logits[0].Length]).to(type), ran);
    }
}
