using DeRa.Torch.Native;
using Xunit;

[assembly: AssemblyFixture(typeof(DeRa.Lab.Tests.LoadedTorch))]

namespace DeRa.Lab.Tests;

/// <summary>Loads libtorch before the first test of this assembly touches a tensor.</summary>
public sealed class LoadedTorch
{
    public LoadedTorch() => LibTorch.Load();
}
