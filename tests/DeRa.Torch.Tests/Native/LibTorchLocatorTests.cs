using DeRa.Testing;
using DeRa.Torch.Native;
using Xunit;

namespace DeRa.Torch.Tests.Native;

public sealed class LibTorchLocatorTests : IDisposable
{
    private static readonly LibraryNames Linux = new("linux-x64", "lib", ".so");
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void A_published_program_s_own_folder_comes_before_the_build_s()
    {
        var packages = Library("packages", Linux.Main, Linux.Shim);
        File.WriteAllLines(Path.Combine(_folder.Path, LibTorchLocator.PathsFile), [packages, packages]);
        Assert.Equal(new LibTorchLocation(packages, Path.Combine(packages, Linux.Shim)), Locate(null));

        var published = Library("libtorch", Linux.Main, Linux.Shim);
        Assert.Equal(new LibTorchLocation(published, Path.Combine(published, Linux.Shim)), Locate(null));
    }

    [Theory]
    [InlineData("venv/torch/lib")]
    [InlineData("venv/torch")]
    [InlineData("venv")]
    public void A_PyTorch_installation_is_found_from_its_lib_folder_and_from_above(string named)
    {
        var shim = Path.Combine(Library("libtorch", Linux.Main, Linux.Shim), Linux.Shim);
        var installed = Library("venv/torch/lib", Linux.Main);
        Assert.Equal(new LibTorchLocation(installed, shim), Locate(Path.Combine(_folder.Path, named)));
    }

    [Fact]
    public void A_folder_without_libtorch_is_refused_by_its_name_the_option_and_the_cure()
    {
        Library("libtorch", Linux.Main, Linux.Shim);
        var named = Path.Combine(_folder.Path, "elsewhere");
        var error = Assert.Throws<LibTorchException>(() => Locate(named));
        foreach (var part in new[] { named, "libtorch_cpu.so", "--libtorch", "DERA_LIBTORCH", "PyTorch 2.10" })
            Assert.Contains(part, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_program_without_its_shim_says_where_it_looked()
    {
        Library("libtorch", Linux.Main);
        var error = Assert.Throws<LibTorchException>(() => Locate(null));
        Assert.Contains("libLibTorchSharp.so was not found", error.Message, StringComparison.Ordinal);
        Assert.Contains(Path.Combine(_folder.Path, "libtorch"), error.Message, StringComparison.Ordinal);
    }

    private LibTorchLocation Locate(string? directory) => new LibTorchLocator(_folder.Path, Linux).Locate(directory);

    private string Library(string folder, params string[] files)
    {
        var path = Directory.CreateDirectory(Path.Combine(_folder.Path, folder)).FullName;
        foreach (var file in files) File.WriteAllText(Path.Combine(path, file), "");
        return path;
    }
}
