using Xunit;

namespace DeRa.Lab.Tests.Training;

[Collection(nameof(TensorCount))]
public sealed class TrainerMemoryTests
{
    [Fact]
    public void A_run_leaves_no_tensor_behind()
    {
        var weights = 0;
        void Train()
        {
            using var run = new TrainingRun();
            using var model = run.Run(RepeatedTokens.Settings(steps: 6), RepeatedTokens.Task(), RepeatedTokens.Model());
            weights = model.Weights.Count();
        }

        Train();
        Assert.Equal(TensorCount.LeftOfParameters(weights), TensorCount.Left(Train));
    }

    [Fact]
    public void Steps_and_checkpoints_leave_no_tensor_behind()
    {
        var (early, late) = (0L, 0L);
        using var run = new TrainingRun();
        var task = new InterruptedTask(new InterruptedTask(RepeatedTokens.Task(), 3, () => early = TensorCount.Now), 15, () =>
            late = TensorCount.Now);
        run.Run(RepeatedTokens.Settings(steps: 16), task, RepeatedTokens.Model()).Dispose();
        Assert.Equal(early, late);
    }
}
