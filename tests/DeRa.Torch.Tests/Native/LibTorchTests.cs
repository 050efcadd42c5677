using DeRa.Torch.Native;
using TorchSharp;
using Xunit;

namespace DeRa.Torch.Tests.Native;

public sealed class LibTorchTests
{
    [Fact]
    public void Loading_lets_torch_compute()
    {
        var loaded = LibTorch.Load();
        Assert.True(File.Exists(loaded.Shim));
        using var sum = torch.ones(3).sum();
        Assert.Equal(3, sum.item<float>());
        Assert.False(Directory.Exists(Path.Combine(AppContext.BaseDirectory, "cpu")));
    }
}
