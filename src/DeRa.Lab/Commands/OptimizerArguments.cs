using System.CommandLine;
using DeRa.Lab.Training;
using static TorchSharp.torch;

namespace DeRa.Lab.Commands;

/// <summary>The options of every command that trains.</summary>
internal sealed class OptimizerArguments(int steps, double learningRate)
{
    private readonly Option<int> _steps = new("--steps") { Description = "Optimiser steps", DefaultValueFactory = _ => steps };

    private readonly Option<OptimizerMethod> _method = new("--optimizer")
    {
        Description = "adamw, or muon: orthogonalised momentum for the matrices of layers, AdamW for the rest",
        DefaultValueFactory = _ => OptimizerMethod.AdamW,
    };

    private readonly Option<double> _learningRate = new("--learning-rate")
    {
        Description = "Highest learning rate (cosine schedule)",
        DefaultValueFactory = _ => learningRate,
    };

    private readonly Option<int> _warmup = new("--warmup-steps")
    {
        Description = "Steps in which the learning rate rises from 0",
        DefaultValueFactory = _ => 50,
    };

    private readonly Option<double> _decay = new("--weight-decay")
    {
        Description = "Weight decay of matrices",
        DefaultValueFactory = _ => 0,
    };

    private readonly Option<double> _clip = new("--clip-norm")
    {
        Description = "Longest gradient (2-norm over all weights); a longer one is scaled down to it",
        DefaultValueFactory = _ => 1,
    };

    private readonly Option<int> _checkpoint = new("--checkpoint-steps")
    {
        Description = "Steps between checkpoints, from which an interrupted run goes on",
        DefaultValueFactory = _ => 100,
    };

    private readonly Option<long> _seed = new("--seed") { Description = "The same seed gives the same run", DefaultValueFactory = _ => 1 };

    private readonly Option<string> _dtype = NumberType.Create("--dtype", "Stored weights: float32 or bfloat16");

    public void AddTo(Command command)
    {
        Option[] options = [_method, _steps, _learningRate, _warmup, _decay, _clip, _checkpoint, _seed, _dtype];
        foreach (var option in options) command.Add(option);
    }

    public long Seed(ParseResult parsed) => parsed.GetValue(_seed);

    /// <summary>The element type that the finished model is stored in.</summary>
    /// <exception cref="LabException">It cannot be stored.</exception>
    public ScalarType StoredAs(ParseResult parsed) => NumberType.Parse(_dtype, parsed);

    public TrainingSettings Read(ParseResult parsed) => new()
    {
        Method = parsed.GetValue(_method),
        Steps = parsed.GetValue(_steps),
        LearningRate = parsed.GetValue(_learningRate),
        WarmupSteps = parsed.GetValue(_warmup),
        WeightDecay = parsed.GetValue(_decay),
        ClipNorm = parsed.GetValue(_clip),
        CheckpointSteps = parsed.GetValue(_checkpoint),
    };
}
