using System.Text.Json;
using DeRa.Lab.Models;
using DeRa.Lab.Tests.Sampling;
using DeRa.Lab.Training;
using Xunit;
using static TorchSharp.torch;

namespace DeRa.Lab.Tests.Training;

public sealed class TrainerTests
{
    [Fact]
    public void Training_learns_what_is_repeated()
    {
        using var run = new TrainingRun();
        using var model = run.Run(RepeatedTokens.Settings(steps: 200), RepeatedTokens.Task(), RepeatedTokens.Model());
        var losses = run.Curve.Select(line => JsonDocument.Parse(line).RootElement.GetProperty("loss").GetDouble()).ToArray();
        Assert.Equal(200, losses.Length);
        Assert.InRange(losses[0], 2, 3); // ln 12 = 2.48
        Assert.InRange(losses[^10..].Average(), 0, 0.1);
        // The sequences themselves, not only their loss.
        Assert.Equal([8, 9, 10, 11, 0], TinyDecoder.Greedy(model, [7], endToken: 0, maxTokens: 8));
    }

    [Theory]
    [InlineData(2)] // before the first checkpoint
    [InlineData(9)]
    [InlineData(13)]
    public void A_run_that_failed_goes_on_from_its_last_checkpoint_as_if_nothing_had_been(int at)
    {
        using var whole = Uninterrupted();
        using var cut = new TrainingRun();
        var failing = new InterruptedTask(RepeatedTokens.Task(), at, () => throw new IOException("the machine went down"));
        Assert.Throws<IOException>(() => cut.Run(RepeatedTokens.Settings(steps: 14), failing, RepeatedTokens.Model()).Dispose());
        Assert.Equal(at, cut.Curve.Length);
        cut.Run(RepeatedTokens.Settings(steps: 14), RepeatedTokens.Task(), RepeatedTokens.Model()).Dispose();
        AssertSame(whole, cut);
    }

    [Fact]
    public void A_run_with_Muon_goes_on_as_if_nothing_had_been()
    {
        var settings = RepeatedTokens.Settings(steps: 14) with { Method = OptimizerMethod.Muon };
        using var whole = new TrainingRun();
        whole.Run(settings, RepeatedTokens.Task(), RepeatedTokens.Model()).Dispose();
        using var cut = new TrainingRun();
        var failing = new InterruptedTask(RepeatedTokens.Task(), 9, () => throw new IOException("the machine went down"));
        Assert.Throws<IOException>(() => cut.Run(settings, failing, RepeatedTokens.Model()).Dispose());
        cut.Run(settings, RepeatedTokens.Task(), RepeatedTokens.Model()).Dispose();
        AssertSame(whole, cut);
    }

    [Fact]
    public void A_cancelled_run_gives_up_the_step_it_was_at_and_keeps_those_before()
    {
        using var whole = Uninterrupted();
        using var cut = new TrainingRun();
        using var stop = new CancellationTokenSource();
        var cancelling = new InterruptedTask(RepeatedTokens.Task(), 5, stop.Cancel);
        Assert.Throws<OperationCanceledException>(() =>
            cut.Run(RepeatedTokens.Settings(steps: 14), cancelling, RepeatedTokens.Model(), stop).Dispose());
        Assert.Equal(["checkpoint-0000005"], cut.Checkpoints);
        Assert.Equal(5, cut.Curve.Length);
        Assert.Contains("stopped after step 5", cut.Output);
        cut.Run(RepeatedTokens.Settings(steps: 14), RepeatedTokens.Task(), RepeatedTokens.Model()).Dispose();
        Assert.Contains("resumes after step 5", cut.Output);
        AssertSame(whole, cut);
    }

    [Fact]
    public void A_cancellation_does_not_wait_for_a_long_step_to_keep_what_is_done()
    {
        using var cut = new TrainingRun();
        using var stop = new CancellationTokenSource();
        string[] kept = [];
        var cancelling = new InterruptedTask(RepeatedTokens.Task(), 5, () =>
        {
            var canceller = new Thread(stop.Cancel);
            canceller.Start();
            canceller.Join();
            // The step has not ended: killed now, the run goes on from here.
            kept = [.. cut.Checkpoints];
        });
        Assert.Throws<OperationCanceledException>(() =>
            cut.Run(RepeatedTokens.Settings(steps: 14), cancelling, RepeatedTokens.Model(), stop).Dispose());
        Assert.Equal(["checkpoint-0000005"], kept);
    }

    [Fact]
    public void What_a_cut_save_or_removal_left_is_cleared_away()
    {
        using var whole = Uninterrupted();
        using var cut = new TrainingRun();
        var failing = new InterruptedTask(RepeatedTokens.Task(), 9, () => throw new IOException("the machine went down"));
        Assert.Throws<IOException>(() => cut.Run(RepeatedTokens.Settings(steps: 14), failing, RepeatedTokens.Model()).Dispose());
        Directory.CreateDirectory(Path.Combine(cut.Path, "checkpoint-0000012.tmp"));
        Directory.CreateDirectory(Path.Combine(cut.Path, "checkpoint-0000004.tmp"));
        File.AppendAllText(Path.Combine(cut.Path, "training.jsonl"), "{\"step\":10,\"lo");
        cut.Run(RepeatedTokens.Settings(steps: 14), RepeatedTokens.Task(), RepeatedTokens.Model()).Dispose();
        AssertSame(whole, cut);
    }

    [Fact]
    public void A_finished_run_started_again_does_nothing()
    {
        using var run = Uninterrupted();
        var before = (string.Join('\n', run.Curve), Convert.ToHexString(run.Weights));
        var never = new InterruptedTask(RepeatedTokens.Task(), 0, () => Assert.Fail("it trains"));
        run.Run(RepeatedTokens.Settings(steps: 14), never, RepeatedTokens.Model()).Dispose();
        Assert.Equal(before, (string.Join('\n', run.Curve), Convert.ToHexString(run.Weights)));
        Assert.Contains("already finished", run.Output);
    }

    [Fact]
    public void A_folder_is_refused_to_a_run_with_other_settings_or_another_task()
    {
        using var run = Uninterrupted();
        using var model = RepeatedTokens.Model();
        var otherSettings = Assert.Throws<LabException>(() => run.Run(RepeatedTokens.Settings(steps: 15), RepeatedTokens.Task(), model));
        Assert.Contains(run.Path, otherSettings.Message);
        Assert.Throws<LabException>(() => run.Run(RepeatedTokens.Settings(steps: 14) with { Beta2 = 0.9 }, RepeatedTokens.Task(), model));
        Assert.Throws<LabException>(() => run.Run(RepeatedTokens.Settings(steps: 14), new Faulty(""), model));
        Assert.Equal(14, run.Curve.Length);
    }

    [Theory]
    [InlineData("model.safetensors")]
    [InlineData("config.json")]
    public void A_folder_that_holds_a_model_of_other_origin_is_refused(string file)
    {
        using var run = new TrainingRun();
        using var model = RepeatedTokens.Model();
        File.WriteAllText(Path.Combine(run.Path, file), "precious");
        Assert.Contains("holds a model already",
            Assert.Throws<LabException>(() => run.Run(RepeatedTokens.Settings(4), RepeatedTokens.Task(), model)).Message);
        Assert.Equal("precious", File.ReadAllText(Path.Combine(run.Path, file)));
        Assert.Single(Directory.GetFileSystemEntries(run.Path));
    }

    [Theory]
    [InlineData("loss")]
    [InlineData("gradient")]
    public void A_loss_or_gradient_that_is_no_number_ends_the_run_with_its_last_good_checkpoint(string what)
    {
        using var run = new TrainingRun();
        using var model = RepeatedTokens.Model();
        var bad = Assert.Throws<LabException>(() => run.Run(RepeatedTokens.Settings(steps: 14), new Faulty(what), model));
        Assert.Contains($"{what} of step 6", bad.Message);
        Assert.Contains("--learning-rate", bad.Message);
        Assert.Equal(["checkpoint-0000004"], run.Checkpoints);
        Assert.All(model.Weights, weight => Assert.True(weight.Value.isfinite().all().item<bool>()));
    }

    [Fact]
    public void Gradients_are_clipped_and_their_norm_recorded_unclipped()
    {
        using var run = new TrainingRun();
        using var model = run.Run(
            RepeatedTokens.Settings(steps: 1) with { ClipNorm = 0.01 }, RepeatedTokens.Task(), RepeatedTokens.Model());
        var recorded = JsonDocument.Parse(run.Curve[0]).RootElement.GetProperty("gradient_norm").GetDouble();
        var applied = Math.Sqrt(model.Weights.Sum(weight => weight.Value.grad!.square().sum().to(ScalarType.Float64).item<double>()));
        Assert.InRange(applied, 0.0099, 0.0101);
        Assert.InRange(recorded, 0.1, 100);
    }

    [Fact]
    public void Weight_decay_shrinks_matrices_and_leaves_norms()
    {
        using var run = new TrainingRun();
        using var before = RepeatedTokens.Model();
        // Gradients are nothing beside Adam's ε here, so that only the decay acts: each step takes rate · decay off.
        var settings = RepeatedTokens.Settings(steps: 1) with { WeightDecay = 0.5, WarmupSteps = 0, LearningRate = 0.1, ClipNorm = 1e-30 };
        using var after = run.Run(settings, RepeatedTokens.Task(), RepeatedTokens.Model());
        foreach (var ((name, old), (_, current)) in before.Weights.Zip(after.Weights))
        {
            using var scope = NewDisposeScope();
            var expected = old.detach() * (old.dim() > 1 ? 1 - 0.1 * 0.5 : 1);
            Assert.True((current.detach() - expected).abs().max().item<float>() < 1e-6, name);
        }
    }

    private static TrainingRun Uninterrupted()
    {
        var run = new TrainingRun();
        run.Run(RepeatedTokens.Settings(steps: 14), RepeatedTokens.Task(), RepeatedTokens.Model()).Dispose();
        return run;
    }

    private static void AssertSame(TrainingRun expected, TrainingRun actual)
    {
        Assert.Equal(expected.Curve, actual.Curve);
        Assert.Equal(expected.Weights, actual.Weights);
        Assert.Equal(
            Directory.GetFileSystemEntries(expected.Path).Select(Path.GetFileName).Order(),
                Directory.GetFileSystemEntries(actual.Path).Select(Path.GetFileName).Order());
    }

    /// <summary>Goes wrong in its sixth step: the loss is NaN, or it is 0 and its gradient NaN.</summary>
    private sealed class Faulty(string what) : ITrainingTask
    {
        public string Description => "faulty";

        public TaskStep Step(TrainableDecoder model, int step)
        {
            var good = RepeatedTokens.Task().Step(model, step);
            if (step != 5) return good;
            var zero = (good.Loss - good.Loss.detach()).square();
            return good with { Loss = what == "loss" ? zero / zero : zero.sqrt() };
        }
    }
}
