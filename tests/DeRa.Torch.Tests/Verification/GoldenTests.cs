using DeRa.Testing;
using DeRa.Torch.Native;
using DeRa.Torch.Verification;
using Xunit;

namespace DeRa.Torch.Tests.Verification;

/// <summary>Logits of the golden checkpoints at all positions, however their tokens are cut into steps.</summary>
public sealed class GoldenTests(ITestOutputHelper output)
{
    public static TheoryData<string> Committed { get; } = new(GoldenData.CommittedModels);

    public static TheoryData<string> Shared { get; } = new(GoldenData.SharedModels);

    public static TheoryData<string> Real { get; } = ["models/stories260k", "models/babyllama-reference", "models/babyllama-aligned"];

    [Theory, MemberData(nameof(Committed))]
    public void Float32_logits_equal_the_golden_ones_at_all_positions(string model) => AssertCommitted(model, "float32", "auto");

    [Theory, MemberData(nameof(Committed))]
    public void Bfloat16_logits_lie_within_the_derived_bound(string model) => AssertCommitted(model, "bfloat16", "auto");

    [Theory, MemberData(nameof(Committed))]
    public void Float16_logits_lie_within_the_derived_bound(string model) => AssertCommitted(model, "float16", "auto");

    [Theory, MemberData(nameof(Committed))]
    public void Logits_by_libtorchs_kernels_equal_the_golden_ones(string model) => AssertCommitted(model, "float32", "torch");

    [Theory, MemberData(nameof(Committed))]
    public void Bfloat16_logits_by_libtorchs_kernels_lie_within_the_derived_bound(string model) =>
        AssertCommitted(model, "bfloat16", "torch");

    [Theory, MemberData(nameof(Committed))]
    public void Logits_from_a_cache_of_16_bits_lie_within_the_derived_bound(string model)
    {
        foreach (var kernels in new[] { "cpu", "torch" })
            foreach (var cacheType in new[] { "bfloat16", "float16" })
                AssertFolder(GoldenData.Committed(model), "float32", kernels, cacheType);
    }

    [Fact]
    public void Weights_that_are_stored_in_16_bits_lose_nothing()
    {
        var report = GoldenVerification.Run(
            GoldenData.Committed("llama-llama3"), DeviceOption.Cpu, new NumberOptions { Kernels = KernelsOption.Parse("cpu") });
        Assert.Equal("BFloat16", report.ElementType);
        Assert.All(report.Checks, check => Assert.Equal(1e-4, check.Bound));
        AssertPassed(report);
    }

    [Theory, MemberData(nameof(Shared)), MemberData(nameof(Real))]
    public void Checkpoints_beside_the_checkout_equal_their_golden_logits_and_greedy_text(string model) => AssertShared(model, "float32");

    [Theory, MemberData(nameof(Shared))]
    public void Checkpoints_beside_the_checkout_lie_within_the_derived_bound(string model) => AssertShared(model, "bfloat16");

    private void AssertShared(string model, string type)
    {
        var folder = SharedData.Find(model);
        Assert.SkipWhen(folder is null, SharedData.Missing);
        AssertFolder(folder!, type, "auto");
    }

    private void AssertFolder(string folder, string type, string kernels, string cacheType = "auto") =>
        AssertPassed(GoldenVerification.Run(folder, DeviceOption.Cpu, new NumberOptions
        {
            DType = DTypeOption.Parse(type),
            CacheDType = CacheDTypeOption.Parse(cacheType),
            Kernels = KernelsOption.Parse(kernels),
        }));

    private void AssertCommitted(string model, string type, string kernels) => AssertFolder(GoldenData.Committed(model), type, kernels);

    private void AssertPassed(GoldenReport report)
    {
        foreach (var check in report.Checks) output.WriteLine(check.ToString());
        Assert.True(report.Passed, string.Join(Environment.NewLine, report.Checks.Where(check => !check.Passed)));
    }
}
