using DeRa.Testing;
using DeRa.Torch.Native;
using DeRa.Torch.Tests.Execution;
using DeRa.Torch.Verification;
using TorchSharp;
using Xunit;

namespace DeRa.Torch.Tests.Models;

[Collection(nameof(TensorCount))]
public sealed class FamilyTensorCountTests
{
    [Theory]
    [InlineData("gemma2"), InlineData("gpt2"), InlineData("gpt_neox-sequential"), InlineData("qwen3")]
    public void Loading_running_and_disposing_leaves_no_tensor_behind(string golden)
    {
        Verify();
        var before = torch.Tensor.TotalCount;
        Verify();
        Assert.Equal(before, torch.Tensor.TotalCount);

        void Verify() =>
            Assert.True(GoldenVerification.Run(
                GoldenData.Committed(golden), DeviceOption.Cpu, new NumberOptions { DType = DTypeOption.Parse("float32") }).Passed);
    }
}
