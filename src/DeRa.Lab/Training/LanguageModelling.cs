using DeRa.Lab.Data;
using DeRa.Lab.Models;
using DeRa.Torch.Native;

namespace DeRa.Lab.Training;

/// <summary>Pretraining and SFT: the mean negative log-probability of the next token, prompts excluded.</summary>
internal sealed class LanguageModelling(PackedRows rows, long seed, string description) : ITrainingTask
{
    /// <inheritdoc/>
    public string Description => description;

    /// <inheritdoc/>
    public TaskStep Step(TrainableDecoder model, int step)
    {
        var (tokens, mask) = rows.Draw(StepRandom.At(seed, step));
        var (onDevice, weights) = (tokens.to(model.Device), mask.to(model.Device));
        var loss = -(model.LogProbs(onDevice) * weights).sum() / weights.sum().clamp_min(Arithmetic.One);
        return new TaskStep(loss, mask.numel(), []);
    }
}
