using DeRa.Testing;
using DeRa.Torch.Native;
using DeRa.Torch.Verification;
using Xunit;

namespace DeRa.Torch.Tests.Verification;

/// <summary>CUDA equals the CPU: both are held against the same float64 logits.</summary>
public sealed class CudaGoldenTests
{
    public static TheoryData<string, string> ModelsAndTypes { get; } = new(
        from model in GoldenData.CommittedModels
        from type in new[] { "float32", "bfloat16", "float16" }
        select (model, type));

    [Theory, MemberData(nameof(ModelsAndTypes)), Trait("Device", "cuda")]
    public void Logits_on_CUDA_equal_the_golden_ones(string model, string type)
    {
        Assert.SkipWhen(LibTorch.Load().CudaDevices == 0,
            "needs a CUDA device and a CUDA build of libtorch (DERA_LIBTORCH), which are not here");
        var report = GoldenVerification.Run(GoldenData.Committed(model), DeviceOption.Parse("cuda"),
            new NumberOptions { DType = DTypeOption.Parse(type) });
        Assert.True(report.Passed, string.Join(Environment.NewLine, report.Checks.Where(check => !check.Passed)));
    }
}
