using DeRa.Testing;

namespace DeRa.Torch.Tests;

/// <summary>Inputs that were found to go wrong once; they lie beside the checkout.</summary>
internal static class SharedCases
{
    public const string Missing = "needs ../shared/cases beside the checkout, which is not there";

    /// <summary>The full path of something among them, or null where it is absent.</summary>
    public static string? Find(string relativePath)
    {
        var path = Path.GetFullPath(Path.Combine(SharedData.ProjectRoot, "..", "shared", "cases", relativePath));
        return Path.Exists(path) ? path : null;
    }
}
