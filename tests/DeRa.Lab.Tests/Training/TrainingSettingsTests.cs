using DeRa.Lab.Training;
using Xunit;

namespace DeRa.Lab.Tests.Training;

public sealed class TrainingSettingsTests
{
    private static readonly TrainingSettings s_settings = new() { Steps = 110, LearningRate = 2, WarmupSteps = 10 };

    [Theory]
    [InlineData(0, 0.2)]
    [InlineData(4, 1.0)]
    [InlineData(9, 2.0)]
    [InlineData(10, 2.0)]
    [InlineData(35, 0.2 + 1.8 * 0.8535533905932737)] // (1 + cos π/4) / 2
    [InlineData(60, 0.2 + 1.8 / 2)]
    [InlineData(85, 0.2 + 1.8 * 0.14644660940672627)]
    public void The_learning_rate_rises_and_falls_as_a_cosine_to_its_final_share(int step, double rate) =>
        Assert.Equal(rate, s_settings.LearningRateAt(step), 1e-12);

    [Fact]
    public void The_last_steps_are_at_the_final_share() => Assert.InRange(s_settings.LearningRateAt(109), 0.2, 0.201);

    [Fact]
    public void A_final_share_of_1_keeps_the_rate() =>
        Assert.Equal(2, (s_settings with { FinalLearningRateShare = 1 }).LearningRateAt(100));

    [Fact]
    public void A_warm_up_longer_than_the_run_only_rises() =>
        Assert.Equal([0.5, 1, 1.5], Enumerable.Range(0, 3).Select((s_settings with { Steps = 3, WarmupSteps = 4 }).LearningRateAt));

    [Fact]
    public void A_setting_out_of_range_is_named()
    {
        (string Option, TrainingSettings Settings)[] bad =
        [
            ("--steps", s_settings with { Steps = 0 }),
            ("--learning-rate", s_settings with { LearningRate = 0 }),
            ("--learning-rate", s_settings with { LearningRate = double.NaN }),
            ("--learning-rate", s_settings with { LearningRate = double.PositiveInfinity }),
            ("--warmup-steps", s_settings with { WarmupSteps = -1 }),
            ("--weight-decay", s_settings with { WeightDecay = -0.1 }),
            ("--weight-decay", s_settings with { WeightDecay = double.NaN }),
            ("--clip-norm", s_settings with { ClipNorm = 0 }),
            ("--clip-norm", s_settings with { ClipNorm = double.NaN }),
            ("--checkpoint-steps", s_settings with { CheckpointSteps = 0 }),
        ];
        foreach (var (option, settings) in bad) Assert.StartsWith(option, Assert.Throws<LabException>(settings.Validate).Message);
        s_settings.Validate();
    }
}
