using DeRa.Lab.Data;
using DeRa.Lab.Models;
using DeRa.Lab.Tests.Sampling;
using DeRa.Lab.Training;

namespace DeRa.Lab.Tests.Training;

/// <summary>A task that a tiny decoder learns at once: three sequences, each of which its first token gives away.</summary>
internal static class RepeatedTokens
{
    public static ITrainingTask Task(long seed = 1) => new LanguageModelling(
        new PackedRows([new([1, 2, 3, 4, 5, 0], 1), new([6, 5, 4, 3, 2, 0], 1), new([7, 8, 9, 10, 11, 0], 1)], rows: 4, tokens: 16), seed,
            "repeated tokens");

    public static TrainingSettings Settings(int steps) =>
        new() { Steps = steps, LearningRate = 1e-2, WarmupSteps = 3, CheckpointSteps = 4 };

    public static TrainableDecoder Model(long seed = 1) =>
        TrainableDecoder.Create(PlainShape.Of(
            TinyDecoder.Vocabulary, hidden: 16, intermediate: 32, layers: 1, heads: 2, TinyDecoder.Context), seed, TorchSharp.torch.CPU);
}
