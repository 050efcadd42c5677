using System.Diagnostics;
using System.Runtime.InteropServices;
using DeRa.Testing;
using DeRa.Torch.Native;
using TorchSharp;
using Xunit;

namespace DeRa.Torch.Tests.Native;

public sealed class LibTorchTests(LoadedTorch torchLibrary)
{
    [Fact]
    public void Loading_lets_torch_compute()
    {
        using var sum = torch.ones(3).sum();
        Assert.Equal(3, sum.item<float>());
        LibTorch.VerifyDevice(torch.CPU);
    }

    [Fact]
    public void Nothing_is_copied_beside_the_program()
    {
        Assert.False(Directory.Exists(Path.Combine(AppContext.BaseDirectory, "cpu")));
        Assert.Empty(Directory.GetFiles(AppContext.BaseDirectory, "*torch_cpu*", SearchOption.AllDirectories));
    }

    [Fact]
    public void A_second_call_returns_the_same_library()
    {
        // But for the threads, which tests beside this one change.
        var first = torchLibrary.Library with { Threads = 1 };
        Assert.Equal(first, LibTorch.Load() with { Threads = 1 });
        Assert.Equal(first, LibTorch.Load(new LibTorchOptions { Directory = torchLibrary.Library.Directory }) with { Threads = 1 });
    }

    [Fact]
    public void Many_threads_may_load_at_once() =>
        Parallel.For(0, 16, _ => Assert.Equal(torchLibrary.Library.Directory, LibTorch.Load().Directory));

    [Fact]
    public void Attention_does_not_use_cudnn_which_plans_each_shape()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "the functions' names are those of Linux");
        var library = NativeLibrary.Load(Path.Combine(torchLibrary.Library.Directory, LibraryNames.Current.Main));
        var context = Export<GlobalContext>("_ZN2at13globalContextEv")();
        Assert.Equal(0, Export<Setting>("_ZNK2at7Context19userEnabledCuDNNSDPEv")(context));
        Assert.Equal(1, Export<Setting>("_ZNK2at7Context19userEnabledFlashSDPEv")(context));

        T Export<T>(string name) => Marshal.GetDelegateForFunctionPointer<T>(NativeLibrary.GetExport(library, name));
    }

    [Fact]
    public void A_second_library_is_refused()
    {
        using var other = new TemporaryFolder();
        File.WriteAllText(Path.Combine(other.Path, LibraryNames.Current.Main), "");
        var error = Assert.Throws<LibTorchException>(() => LibTorch.Load(new LibTorchOptions { Directory = other.Path }));
        Assert.Contains(other.Path, error.Message, StringComparison.Ordinal);
        Assert.Contains(torchLibrary.Library.Directory, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Threads_below_one_are_refused_by_the_option_s_name()
    {
        var error = Assert.Throws<LibTorchException>(() => LibTorch.Load(new LibTorchOptions { Threads = 0 }));
        Assert.Contains("--threads is 0", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_device_that_is_not_there_fails_with_its_name()
    {
        Assert.SkipWhen(torchLibrary.Library.CudaDevices > 0, "this machine has a CUDA device");
        var error = Assert.Throws<LibTorchException>(() => LibTorch.VerifyDevice(new torch.Device("cuda:0")));
        Assert.Contains("cuda:0", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_cuda_device_computes()
    {
        Assert.SkipUnless(torchLibrary.Library.CudaDevices > 0, "needs a CUDA device and a CUDA libtorch (DERA_LIBTORCH)");
        LibTorch.VerifyDevice(new torch.Device("cuda:0"));
    }

    /// <summary>A process loads libtorch once, so a broken one takes a process of its own: this program, one test.</summary>
    [Fact]
    public void A_broken_library_gives_one_error_that_names_it_and_the_cure()
    {
        using var broken = new TemporaryFolder();
        foreach (var file in LibraryNames.Current.LoadOrder)
            File.WriteAllText(Path.Combine(broken.Path, file), "not a library");
        var output = RunOneTest(nameof(Loading_lets_torch_compute), broken.Path, out var exitCode);
        Assert.NotEqual(0, exitCode);
        Assert.Contains($"libtorch in {broken.Path} could not be loaded", output, StringComparison.Ordinal);
        Assert.Contains("PyTorch 2.10", output, StringComparison.Ordinal);
        Assert.DoesNotContain("LoadNativeBackend", output, StringComparison.Ordinal);
    }

    private static string RunOneTest(string method, string libTorch, out int exitCode)
    {
        var start = new ProcessStartInfo(Environment.ProcessPath!, ["-method", $"{typeof(LibTorchTests).FullName}.{method}"])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            Environment = { [LibTorchOptions.DirectoryVariable] = libTorch },
        };
        using var process = Process.Start(start)!;
        var errors = process.StandardError.ReadToEndAsync();
        var output = process.StandardOutput.ReadToEnd() + errors.GetAwaiter().GetResult();
        process.WaitForExit();
        exitCode = process.ExitCode;
        return output;
    }

    private delegate nint GlobalContext();

    private delegate byte Setting(nint context);
}
