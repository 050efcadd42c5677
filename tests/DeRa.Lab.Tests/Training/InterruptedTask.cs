using DeRa.Lab.Models;
using DeRa.Lab.Training;

namespace DeRa.Lab.Tests.Training;

/// <summary>Another task, during one step of which somebody interrupts.</summary>
internal sealed class InterruptedTask(ITrainingTask task, int at, Action interrupt) : ITrainingTask
{
    public string Description => task.Description;

    public TaskStep Step(TrainableDecoder model, int step)
    {
        if (step == at) interrupt();
        return task.Step(model, step);
    }
}
