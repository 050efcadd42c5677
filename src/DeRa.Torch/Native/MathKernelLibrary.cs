using System.Runtime.InteropServices;

namespace DeRa.Torch.Native;

/// <summary>Settings of the library in which libtorch computes matrix products on x86 processors (Intel oneMKL).</summary>
internal static partial class MathKernelLibrary
{
    private const string BranchVariable = "MKL_CBWR";

    /// <summary>
    /// Makes it run the same code on every processor with AVX2, for any number of threads (conditional numerical reproducibility), so
    /// that a training run's seed gives the same weights. What is served on a CPU does not need it (<see cref="KernelsOption"/>). Must
    /// be called before libtorch is loaded, which reads the variable; a variable that is already set is kept. Does nothing on systems
    /// other than Linux.
    /// </summary>
    public static void MakeReproducible()
    {
        // Native code does not see .NET's copy of the environment.
        if (OperatingSystem.IsLinux()) _ = SetVariable(BranchVariable, "AVX2,STRICT", 0);
    }

    [LibraryImport("libc", EntryPoint = "setenv", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int SetVariable(string name, string value, int overwrites);
}
