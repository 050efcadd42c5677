using System.Runtime.Loader;
using TorchSharp;

namespace DeRa.Torch.Native;

/// <summary>What <see cref="LibTorch.Load"/> loaded.</summary>
/// <param name="Directory">Full path of libtorch's folder.</param>
/// <param name="Shim">Full path of TorchSharp's native library.</param>
/// <param name="CudaDevices">CUDA devices it can use; 0 for a CPU build or a machine without any.</param>
/// <param name="Threads">Threads of one operator on the CPU.</param>
public sealed record LoadedLibTorch(string Directory, string Shim, int CudaDevices, int Threads);

/// <summary>
/// Loads libtorch before anything touches <see cref="torch"/>. TorchSharp requests the libraries by bare name, which the system
/// resolves to those already loaded; otherwise TorchSharp would copy whole packages beside the program.
/// </summary>
public static class LibTorch
{
    private static readonly Lock Gate = new();
    private static readonly Dictionary<string, nint> Handles = [];
    private static LibTorchLocation? s_loaded;
    private static LibTorchException? s_failure;
    private static int? s_threads;

    /// <summary>
    /// Loads libtorch and checks that it computes. A process loads it once: later calls set the threads, if given, and return the
    /// same libtorch. Any thread.
    /// </summary>
    /// <param name="options">Which libtorch and how many threads; null = the defaults.</param>
    /// <exception cref="LibTorchException">
    /// A library is missing, does not load or computes wrongly; another libtorch is loaded already; or threads are below 1.
    /// </exception>
    public static LoadedLibTorch Load(LibTorchOptions? options = null)
    {
        options ??= new LibTorchOptions();
        if (options.Threads < 1) throw new LibTorchException($"--threads is {options.Threads}; it must be at least 1.");
        lock (Gate)
        {
            var location = LoadOnce(options);
            if (options.Threads is { } threads) torch.set_num_threads(threads);
            // libtorch's own number may be the one that a small step has set (Execution.StepThreads).
            s_threads = options.Threads ?? s_threads ?? torch.get_num_threads();
            return new LoadedLibTorch(location.Directory, location.Shim, CudaDevices(), s_threads.Value);
        }
    }

    /// <summary>
    /// Checks on a small tensor that a device computes: shape, dtype, device and values. Call after <see cref="Load"/>.
    /// </summary>
    /// <exception cref="LibTorchException">It does not; the message names the device and what went wrong.</exception>
    public static void VerifyDevice(torch.Device device) => DeviceCheck.Run(device);

    private static LibTorchLocation LoadOnce(LibTorchOptions options)
    {
        if (s_failure is not null) throw s_failure;
        var directory = options.Directory ?? Environment.GetEnvironmentVariable(LibTorchOptions.DirectoryVariable);
        if (s_loaded is not null && options.Directory is null) return s_loaded;
        var wanted = Locate(string.IsNullOrEmpty(directory) ? null : directory);
        if (s_loaded is not null) return s_loaded == wanted ? s_loaded : throw LoadedAlready(s_loaded, wanted);
        try
        {
            LoadLibraries(wanted);
            DeviceCheck.Run(torch.CPU);
            return s_loaded = wanted;
        }
        catch (LibTorchException exception)
        {
            // Some libraries may be loaded by now: a second attempt would mix two libtorches.
            s_failure = exception;
            throw;
        }
    }

    private static LibTorchLocation Locate(string? directory) => LibraryNames.IsSupported
        ? new LibTorchLocator(AppContext.BaseDirectory, LibraryNames.Current).Locate(directory)
        : throw new LibTorchException("libtorch supports Linux and Windows on 64-bit x86 and macOS on Apple silicon, not this system.");

    private static void LoadLibraries(LibTorchLocation location)
    {
        MathKernelLibrary.MakeReproducible();
        var names = LibraryNames.Current;
        foreach (var file in names.LoadOrder) LoadLibrary(location.Directory, file, names.IsRequired(file));
        CudnnAttention.TurnOff(Handles[names.Main]);
        Handles[names.Shim] = ShimLoader.Load(location.Shim);
        // Resolves bare names on systems that do not match them to loaded libraries (macOS).
        AssemblyLoadContext.Default.ResolvingUnmanagedDll += (_, name) =>
            Handles.FirstOrDefault(library => Path.GetFileNameWithoutExtension(library.Key).EndsWith(name, StringComparison.Ordinal)).Value;
    }

    private static void LoadLibrary(string folder, string file, bool required)
    {
        var path = Path.Combine(folder, file);
        if (!required && !File.Exists(path)) return;
        if (!NativeFile.TryLoad(path, out var handle, out var error))
            throw new LibTorchException($"libtorch in {folder} could not be loaded: {file}: {error}. A complete libtorch 2.10 is needed, "
                + "such as the torch/lib folder of a PyTorch 2.10 installation "
                + $"(--libtorch, or {LibTorchOptions.DirectoryVariable}).");
        Handles[file] = handle;
    }

    private static int CudaDevices() =>
        Handles.ContainsKey(LibraryNames.Current.Cuda) && torch.cuda.is_available() ? torch.cuda.device_count() : 0;

    private static LibTorchException LoadedAlready(LibTorchLocation loaded, LibTorchLocation wanted) => new(
        $"libtorch was loaded from {loaded.Directory}; a process cannot load another from {wanted.Directory}.");
}
