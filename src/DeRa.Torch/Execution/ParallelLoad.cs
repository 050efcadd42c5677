using System.Runtime.ExceptionServices;
using System.Runtime.InteropServices;
using DeRa.Torch.Models;
using DeRa.Torch.Weights;

namespace DeRa.Torch.Execution;

/// <summary>Loads models in parallel; if one fails, the others stop and everything is freed.</summary>
internal sealed class ParallelLoad(IProgress<LoadProgress>? progress, CancellationToken cancellation)
{
    /// <summary>Loads every model on a thread of its own and waits for all.</summary>
    /// <returns>One a source, in order; the caller disposes them.</returns>
    /// <exception cref="CheckpointException">The first failure.</exception>
    /// <exception cref="PairLoadException">A device failed, for instance for lack of memory.</exception>
    /// <exception cref="OperationCanceledException">Cancelled from outside.</exception>
    public IReadOnlyList<DecoderModel> Run(IReadOnlyList<ModelSource> sources)
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        var tasks = sources.Select(source => Task.Factory.StartNew(
            () => TryLoad(source, stop), CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default)).ToArray();
        var outcomes = Task.WhenAll(tasks).GetAwaiter().GetResult();
        var failures = outcomes.Select(outcome => outcome.Failure).OfType<Exception>().ToList();
        if (failures.Count == 0) return [.. outcomes.Select(outcome => outcome.Model!)];
        foreach (var (model, _) in outcomes) model?.Dispose();
        // A model that was stopped because another failed has nothing to report.
        ExceptionDispatchInfo.Throw(failures.Find(failure => failure is not OperationCanceledException) ?? failures[0]);
        return [];
    }

    /// <summary>Returns failures instead of throwing: models that did load must be freed if another did not.</summary>
    private (DecoderModel? Model, Exception? Failure) TryLoad(ModelSource source, CancellationTokenSource stop)
    {
        try
        {
            var model = DecoderLoader.Load(
                source.Folder, source.Config, source.Device, source.Numbers, Report, stop.Token, source.Adapters);
            return (model, null);
        }
        catch (Exception exception)
        {
            stop.Cancel();
            return (null, exception is ExternalException ? Refused(source, exception) : exception);
        }

        void Report(long loaded, long total) => progress?.Report(new LoadProgress(source.Name, loaded, total));
    }

    private static PairLoadException Refused(ModelSource source, Exception exception) => new(
        $"the {source.Name} model could not be put on {source.Device}: {exception.Message.Split('\n')[0]}", exception);
}
