namespace DeRa.Torch.Native;

/// <summary>The paths of libtorch's folder and TorchSharp's shim.</summary>
/// <param name="Directory">Full path of the folder of libtorch_cpu.</param>
/// <param name="Shim">Full path of TorchSharp's own native library.</param>
internal sealed record LibTorchLocation(string Directory, string Shim);

/// <summary>Finds the native libraries without loading anything.</summary>
internal sealed class LibTorchLocator(string programFolder, LibraryNames names)
{
    /// <summary>The file to which a build writes the folders of libtorch and of the shim, one a line.</summary>
    public const string PathsFile = "libtorch.paths";

    private const string Advice =
        "Name the torch/lib folder of a PyTorch 2.10 installation with --libtorch (or " + LibTorchOptions.DirectoryVariable
        + "), or leave that out to use the libtorch that `dotnet publish` puts beside the program.";

    /// <exception cref="LibTorchException">A library is in none of the places.</exception>
    public LibTorchLocation Locate(string? directory) =>
        new(FindLibTorch(directory), FindShim());

    private string FindLibTorch(string? directory)
    {
        string[] places = directory is null
            ? BesideProgram()
            : [directory, Path.Combine(directory, "lib"), Path.Combine(directory, "torch", "lib")];
        var source = directory is null ? "" : $", where --libtorch or {LibTorchOptions.DirectoryVariable} points";
        return Path.GetDirectoryName(Find(names.Main, places, source))!;
    }

    private string FindShim() => Find(names.Shim, BesideProgram(), "");

    /// <summary>The folder of a publish first, then NuGet's layouts (the CUDA packages), then the packages that a build used.</summary>
    private string[] BesideProgram()
    {
        var pathsFile = Path.Combine(programFolder, PathsFile);
        string[] built = File.Exists(pathsFile) ? File.ReadAllLines(pathsFile) : [];
        return
        [
            Path.Combine(programFolder, "libtorch"),
            Path.Combine(programFolder, "runtimes", names.Platform, "native"),
            programFolder,
            .. built.Where(line => line.Length > 0),
        ];
    }

    private static string Find(string file, string[] folders, string source)
    {
        foreach (var folder in folders)
        {
            var path = Path.GetFullPath(Path.Combine(folder, file));
            if (File.Exists(path)) return path;
        }
        throw new LibTorchException(
            $"{file} was not found{source}; looked in {string.Join(", ", folders.Select(Path.GetFullPath))}. {Advice}");
    }
}
