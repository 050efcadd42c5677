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
    /// <param name="cancellation">
    /// Saves a checkpoint at once, from the thread that cancels, and gives up the step that is under way: however long that one
    /// takes, nothing else is lost.
    /// </param>
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
        var done = folder.Resume(model, optimizer);
        progress.Begin(done, settings.Steps);
        // Held while weights, optimiser and curve change together.
        var change = new Lock();
        using (cancellation.Register(Stop))
            while (done < settings.Steps) Step();
        write(model);
        folder.Finish();
        progress.End();

        void Step()
        {
            cancellation.ThrowIfCancellationRequested();
            using var scope = NewDisposeScope();
            var result = task.Step(model, done);
            var (loss, norm) = Differentiate(model, optimizer, result, done);
            lock (change)
            {
                cancellation.ThrowIfCancellationRequested();
                foreach (var group in optimizer.ParamGroups) group.LearningRate = settings.LearningRateAt(done);
                optimizer.step();
                done++;
                folder.Record(done, loss, [.. result.Metrics, ("gradient_norm", norm)]);
                progress.Report(done, loss, result);
                if (done % settings.CheckpointSteps == 0 && done < settings.Steps) folder.SaveCheckpoint(model, optimizer, done);
            }
        }

        void Stop()
        {
            lock (change)
            {
                if (TrySave()) progress.Stopped(done);
            }
        }

        bool TrySave()
        {
            try
            {
                folder.SaveCheckpoint(model, optimizer, done);
                return true;
            }
            catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
            {
                // The checkpoint before is still there.
                return false;
            }
        }
    }

    private AdamW CreateOptimizer(TrainableDecoder model)
    {
        var groups = model.Weights.GroupBy(weight => weight.Value.dim() > 1, weight => weight.Value).Select(group =>
            new AdamW.ParamGroup(group, new AdamW.Options { weight_decay = group.Key ? settings.WeightDecay : 0 }));
        return optim.AdamW(groups, settings.LearningRate, beta1: 0.9, beta2: settings.Beta2);
    }

    /// <summary>Leaves the gradient, clipped, in the weights.</summary>
    private (double Loss, double Norm) Differentiate(TrainableDecoder model, AdamW optimizer, TaskStep result, int step)
    {
        var loss = result.Loss.to(ScalarType.Float64).item<double>();
        if (!double.IsFinite(loss))
            throw new LabException($"the loss of step {step + 1} is {loss}; a smaller --learning-rate may help.");
        optimizer.zero_grad();
        result.Loss.backward();
        var norm = nn.utils.clip_grad_norm_(model.Weights.Select(weight => weight.Value), settings.ClipNorm);
        return double.IsFinite(norm) ? (loss, norm)
            : throw new LabException($"the gradient of step {step + 1} is not finite; a smaller --learning-rate may help.");
    }
}
