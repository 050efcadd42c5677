namespace DeRa.Lab.Training;

/// <summary>How a run is optimised: a method under a cosine schedule with linear warm-up.</summary>
internal sealed record TrainingSettings
{
    /// <summary>How weights follow their gradients.</summary>
    public OptimizerMethod Method { get; init; }

    /// <summary>Optimiser steps; at least 1.</summary>
    public required int Steps { get; init; }

    /// <summary>Highest learning rate; above 0.</summary>
    public required double LearningRate { get; init; }

    /// <summary>What the learning rate falls towards until the last step, as a share of the highest; 0 to 1. 1 keeps it constant.</summary>
    public double FinalLearningRateShare { get; init; } = 0.1;

    /// <summary>Steps in which the learning rate rises from 0; 0 or more.</summary>
    public int WarmupSteps { get; init; }

    /// <summary>Weight decay of matrices (norm weights have none); 0 or more.</summary>
    public double WeightDecay { get; init; }

    /// <summary>Decay of the squared gradients' mean; in (0, 1).</summary>
    public double Beta2 { get; init; } = 0.95;

    /// <summary>Longest gradient (2-norm over all weights); above 0.</summary>
    public double ClipNorm { get; init; } = 1;

    /// <summary>Steps between checkpoints; at least 1.</summary>
    public int CheckpointSteps { get; init; } = 100;

    /// <summary>The learning rate of a step, from 0.</summary>
    public double LearningRateAt(int step)
    {
        if (step < WarmupSteps) return LearningRate * (step + 1) / WarmupSteps;
        var done = (step - WarmupSteps) / (double)Math.Max(1, Steps - WarmupSteps);
        return LearningRate * (FinalLearningRateShare + (1 - FinalLearningRateShare) * 0.5 * (1 + Math.Cos(Math.PI * done)));
    }

    /// <summary>Refuses what cannot work.</summary>
    /// <exception cref="LabException">Names the option and its range.</exception>
    public void Validate()
    {
        Require(Steps >= 1, "--steps", Steps, "at least 1");
        Require(LearningRate > 0 && double.IsFinite(LearningRate), "--learning-rate", LearningRate, "above 0");
        Require(WarmupSteps >= 0, "--warmup-steps", WarmupSteps, "0 or more");
        Require(WeightDecay >= 0 && double.IsFinite(WeightDecay), "--weight-decay", WeightDecay, "0 or more");
        Require(ClipNorm > 0, "--clip-norm", ClipNorm, "above 0");
        Require(CheckpointSteps >= 1, "--checkpoint-steps", CheckpointSteps, "at least 1");
    }

    private static void Require(bool holds, string option, double value, string range)
    {
        if (!holds) throw new LabException(FormattableString.Invariant($"{option} is {value}; it must be {range}."));
    }
}
