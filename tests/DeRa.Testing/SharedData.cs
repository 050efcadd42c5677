namespace DeRa.Testing;

/// <summary>Finds the data folder that lies beside the project's checkout, where there is one.</summary>
public static class SharedData
{
    /// <summary>Why a test that needs the data is skipped.</summary>
    public const string Missing = "needs ../shared/data beside the checkout, which is not there";

    /// <summary>The checkout's root: the folder of DeRa.sln.</summary>
    public static string ProjectRoot { get; } = FindRoot();

    /// <summary>The full path of something under ../shared/data, or null where it is absent.</summary>
    public static string? Find(string relativePath)
    {
        var path = Path.GetFullPath(Path.Combine(ProjectRoot, "..", "shared", "data", relativePath));
        return Path.Exists(path) ? path : null;
    }

    private static string FindRoot()
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
            if (File.Exists(Path.Combine(folder.FullName, "DeRa.sln"))) return folder.FullName;
        throw new DirectoryNotFoundException("Tests run from inside the checkout: no DeRa.sln above " + AppContext.BaseDirectory);
    }
}
