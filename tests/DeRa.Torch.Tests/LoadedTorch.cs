using DeRa.Torch.Native;
using Xunit;

[assembly: AssemblyFixture(typeof(DeRa.Torch.Tests.LoadedTorch))]

namespace DeRa.Torch.Tests;

/// <summary>Loads libtorch before the first test of this assembly touches a tensor.</summary>
public sealed class LoadedTorch
{
    public LoadedTorch() => Library = LibTorch.Load();

    public LoadedLibTorch Library { get; }
}
