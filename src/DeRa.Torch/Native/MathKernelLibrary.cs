using System.Runtime.InteropServices;

namespace DeRa.Torch.Native;

/// <summary>Settings of the library in which libtorch computes matrix products on x86 processors (Intel oneMKL).</summary>
internal static partial class MathKernelLibrary
{
    private const string BranchVariable = "MKL_CBWR";

    /// <summary>
    /// Makes it run the same code on every processor with AVX2, for any number of threads and any number of rows from four on
    /// (conditional numerical reproducibility), so that a seed gives the same text whatever else runs. By default it chooses code by
    /// the number of rows, which is slower on some processors. Must be called before libtorch is loaded, which reads the variable; a
    /// variable that is already set is kept. Does nothing on systems other than Linux.
    /// </summary>
    public static void MakeReproducible()
    {
        // Native code does not see .NET's copy of the environment.
        if (OperatingSystem.IsLinux()) _ = SetVariable(BranchVariable, "AVX2,STRICT", 0);
    }

    [LibraryImport("libc", EntryPoint = "setenv", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int SetVariable(string name, string value, int overwrites);
}
