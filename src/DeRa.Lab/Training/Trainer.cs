using DeRa.Lab.Models;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace DeRa.Lab.Training;

/// <summary>
/// The one training loop. A run belongs to a folder: killed at any moment and started again with the same settings, it goes
/// on from its last checkpoint and writes the same loss curve; started again when finished, it does nothing.
/// </summary>
internal sealed class Trainer(TrainingSettings settings, ITrainingTask task, RunFolder folder, TrainingProgress progress)
{
    /// <summary>Trains until the last step and writes the model into the run's folder.</summary>
    /// <param name="model">The model to begin with; holds the trained weights afterwards.</param>
    /// <param name="write">Writes the finished model into the folder.</param>
    /// <param name="cancellation">Stops between two steps, with a checkpoint.</param>
    /// <exception cref="LabException">The folder holds another run, or loss or gradient are no longer finite.</exception>
    /// <exception cref="OperationCanceledException">Cancelled.</exception>
    public void Run(TrainableDecoder model, Action<TrainableDecoder> write, CancellationToken cancellation)
    {
        settings.Validate();
        folder.Claim(settings, task.Description);
        if (folder.IsFinished)
        {
            folder.Finish();
            progress.AlreadyFinished(folder.Path);
            return;
        }
        using var optimizer = CreateOptimizer(model);
        var step = folder.Resume(model, optimizer);
        progress.Begin(step, settings.Steps);
        for (; step < settings.Steps; step++)
        {
            if (cancellation.IsCancellationRequested)
            {
                folder.SaveCheckpoint(model, optimizer, step);
                cancellation.ThrowIfCancellationRequested();
            }
            Step(model, optimizer, step);
            if ((step + 1) % settings.CheckpointSteps == 0 && step + 1 < settings.Steps) folder.SaveCheckpoint(model, optimizer, step + 1);
        }
        write(model);
        folder.Finish();
        progress.End();
    }

    private AdamW CreateOptimizer(TrainableDecoder model)
    {
        var groups = model.Weights.GroupBy(weight => weight.Value.dim() > 1, weight => weight.Value).Select(group =>
            new AdamW.ParamGroup(group, new AdamW.Options { weight_decay = group.Key ? settings.WeightDecay : 0 }));
        return optim.AdamW(groups, settings.LearningRate, beta1: 0.9, beta2: settings.Beta2);
    }

    private void Step(TrainableDecoder model, AdamW optimizer, int step)
    {
        using var scope = NewDisposeScope();
        var result = task.Step(model, step);
        var loss = result.Loss.to(ScalarType.Float64).item<double>();
        if (!double.IsFinite(loss))
            throw new LabException($"the loss of step {step + 1} is {loss}; a smaller --learning-rate may help.");
        optimizer.zero_grad();
        result.Loss.backward();
        var norm = nn.utils.clip_grad_norm_(model.Weights.Select(weight => weight.Value), settings.ClipNorm);
        if (!double.IsFinite(norm))
            throw new LabException($"the gradient of step {step + 1} is not finite; a smaller --learning-rate may help.");
        foreach (var group in optimizer.ParamGroups) group.LearningRate = settings.LearningRateAt(step);
        optimizer.step();
        folder.Record(step + 1, loss, [.. result.Metrics, ("gradient_norm", norm)]);
        progress.Report(step + 1, loss, result);
    }
}
