using DeRa.Lab.Models;
using static TorchSharp.torch;

namespace DeRa.Lab.Training;

/// <summary>
/// Trains a model. A run belongs to a folder: killed at any moment and started again with the same settings, it resumes from its last
/// checkpoint and writes the same loss curve; started again when finished, it does nothing.
/// </summary>
internal sealed class Trainer(TrainingSettings settings, ITrainingTask task, RunFolder folder, TrainingProgress progress)
{
    /// <summary>Trains until the last step and writes the model into the run's folder.</summary>
    /// <param name="model">The model to begin with; holds the trained weights afterwards.</param>
    /// <param name="write">Writes the finished model into the folder.</param>
    /// <param name="cancellation">
    /// Saves a checkpoint at once, on the thread that cancels, and abandons the current step: however long that takes, nothing else is
    /// lost.
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
        using var optimizer = new Optimizer(settings, model);
        var loop = new Loop(settings, task, folder, progress, model, optimizer);
        loop.Begin();
        using (cancellation.Register(loop.Stop)) loop.Run(cancellation);
        write(model);
        folder.Finish();
        progress.End();
    }

    /// <summary>The steps of a run that is under way.</summary>
    private sealed class Loop(
        TrainingSettings settings, ITrainingTask task, RunFolder folder, TrainingProgress progress, TrainableDecoder model,
        Optimizer optimizer)
    {
        /// <summary>Held while weights, optimiser and curve change together.</summary>
        private readonly Lock _change = new();
        private int _done = folder.Resume(model, optimizer);

        public void Begin() => progress.Begin(_done, settings.Steps);

        public void Run(CancellationToken cancellation)
        {
            while (_done < settings.Steps) Step(cancellation);
        }

        /// <summary>Saves a checkpoint. Called by the thread that cancels.</summary>
        public void Stop()
        {
            lock (_change)
            {
                if (TrySave()) progress.Stopped(_done);
            }
        }

        private void Step(CancellationToken cancellation)
        {
            cancellation.ThrowIfCancellationRequested();
            using var scope = NewDisposeScope();
            var result = task.Step(model, _done);
            var (loss, norm) = Differentiate(result);
            lock (_change)
            {
                cancellation.ThrowIfCancellationRequested();
                optimizer.Step(_done);
                _done++;
                folder.Record(_done, loss, [.. result.Metrics, ("gradient_norm", norm)]);
                progress.Report(_done, loss, result);
                if (_done % settings.CheckpointSteps == 0 && _done < settings.Steps) folder.SaveCheckpoint(model, optimizer, _done);
            }
        }

        private bool TrySave()
        {
            try
            {
                folder.SaveCheckpoint(model, optimizer, _done);
                return true;
            }
            catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
            {
                // The previous checkpoint is still there.
                return false;
            }
        }

        /// <summary>Leaves the gradient, clipped, in the weights.</summary>
        private (double Loss, double Norm) Differentiate(TaskStep result)
        {
            var loss = result.Loss.to(ScalarType.Float64).item<double>();
            if (!double.IsFinite(loss))
                throw new LabException($"the loss of step {_done + 1} is {loss}; a smaller --learning-rate may help.");
            model.ForgetGradients();
            result.Loss.backward();
            var norm = nn.utils.clip_grad_norm_(model.Weights.Select(weight => weight.Value), settings.ClipNorm);
            return double.IsFinite(norm) ? (loss, norm)
                : throw new LabException($"the gradient of step {_done + 1} is not finite; a smaller --learning-rate may help.");
        }
    }
}
