using DeRa.Testing;
using Xunit;

namespace DeRa.Torch.Tests.Native;

public class LibTorchDownloadTests
{
    /// <summary>What the part of a restore prints that finds out where packages lie; nothing is downloaded.</summary>
    private static Task<string> RestoreAsync(string packages, params string[] more) => MSBuild.RunAsync(
        [
            Path.Combine(SharedData.ProjectRoot, "src/DeRa.Torch/DeRa.Torch.csproj"), "-t:_GetRestoreSettings",
            // As `dotnet run` builds, and as strictly as .ci/run.
            "-verbosity:quiet", "-warnaserror", "-nologo", $"-p:RestorePackagesPath={packages}", "-p:MSBuildIsRestoring=true", .. more,
        ], TestContext.Current.CancellationToken);

    [Fact]
    public async Task A_restore_that_downloads_libtorch_says_so_even_where_a_build_is_silent()
    {
        using var folder = new TemporaryFolder();
        Assert.Contains("libtorch is downloaded from NuGet now, once for this machine (130 MB or more)", await RestoreAsync(folder.Path),
            StringComparison.Ordinal);
        Assert.Contains("(several GB)", await RestoreAsync(folder.Path, "-p:DeRaLibTorch=cuda"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_restore_that_finds_libtorch_says_nothing()
    {
        using var folder = new TemporaryFolder();
        Directory.CreateDirectory(Path.Combine(folder.Path, "libtorch-cpu-any", "0"));
        Assert.Equal("", (await RestoreAsync(folder.Path, "-p:LibTorchPlatform=any", "-p:LibTorchVersion=0")).Trim());
    }
}
