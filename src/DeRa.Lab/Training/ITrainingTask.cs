using DeRa.Lab.Models;
using static TorchSharp.torch;

namespace DeRa.Lab.Training;

/// <summary>What a model is trained for: language modelling, or one of the alignment objectives.</summary>
internal interface ITrainingTask
{
    /// <summary>
    /// Everything that determines the result besides the weights and <see cref="TrainingSettings"/>: a run is resumed only if it is
    /// the same.
    /// </summary>
    string Description { get; }

    /// <summary>Computes one step's loss. Randomness depends on the step only, so that a resumed run repeats it.</summary>
    /// <param name="model">The model in training.</param>
    /// <param name="step">From 0.</param>
    TaskStep Step(TrainableDecoder model, int step);
}

/// <summary>One step of a task.</summary>
/// <param name="Loss">Scalar with a gradient.</param>
/// <param name="Tokens">Tokens that went through the model, for the speed shown.</param>
/// <param name="Metrics">What else to record, by name.</param>
internal sealed record TaskStep(Tensor Loss, long Tokens, IReadOnlyList<(string Name, double Value)> Metrics);
