using System.Runtime.InteropServices;

namespace DeRa.Torch.Native;

/// <summary>The names of the libraries on one platform, and the order in which they must be loaded.</summary>
internal sealed record LibraryNames(string Platform, string Prefix, string Suffix)
{
    public static LibraryNames Current { get; } =
        OperatingSystem.IsWindows() ? new("win-x64", "", ".dll")
        : OperatingSystem.IsMacOS() ? new("osx-arm64", "lib", ".dylib")
        : new("linux-x64", "lib", ".so");

    public string Shim => File("LibTorchSharp");

    public string Main => File("torch_cpu");

    public string Cuda => File("torch_cuda");

    /// <summary>Each depends on the ones before it; the loader skips those that a CPU build lacks.</summary>
    public IReadOnlyList<string> LoadOrder =>
        [File("torch_global_deps"), File("c10"), Main, File("c10_cuda"), Cuda, File("torch")];

    public bool IsRequired(string file) => file == File("c10") || file == Main || file == File("torch");

    /// <summary>Libraries exist for 64-bit x86 on Linux and Windows and for Apple silicon.</summary>
    public static bool IsSupported =>
        RuntimeInformation.ProcessArchitecture == (OperatingSystem.IsMacOS() ? Architecture.Arm64 : Architecture.X64);

    private string File(string name) => Prefix + name + Suffix;
}
