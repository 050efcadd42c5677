using System.Runtime.InteropServices;

namespace DeRa.Torch.Native;

/// <summary>Settings of the library in which libtorch computes matrix products on x86 processors (Intel oneMKL).</summary>
internal static partial class MathKernelLibrary
{
    private const string BranchVariable = "MKL_CBWR";

    /// <summary>
    /// Has it run the same code on every processor with AVX2, for every number of threads and of rows from four on (conditional
    /// numerical reproducibility): a seed then names the same text beside any other request. Left to itself it picks code by the
    /// number of rows, which on some processors is the slower for it. To be called before libtorch is loaded, which reads the variable
    /// then; a variable that is set already stays. Elsewhere than on Linux nothing is set.
    /// </summary>
    public static void MakeReproducible()
    {
        // .NET's own copy of the environment is not what native code reads.
        if (OperatingSystem.IsLinux()) _ = SetVariable(BranchVariable, "AVX2,STRICT", 0);
    }

    [LibraryImport("libc", EntryPoint = "setenv", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int SetVariable(string name, string value, int overwrites);
}
