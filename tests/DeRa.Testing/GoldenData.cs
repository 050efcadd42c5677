namespace DeRa.Testing;

/// <summary>The golden checkpoints: some lie in the source tree, all of them in the data folder beside the checkout.</summary>
public static class GoldenData
{
    /// <summary>Folders under tests/DeRa.Testing/Golden that hold a model.</summary>
    public static IReadOnlyList<string> CommittedModels { get; } =
        ["llama-gqa", "llama-llama3", "llama-linear-bias", "mistral-swa", "qwen2", "pair/sft", "pair/aligned"];

    /// <summary>The full path of something under tests/DeRa.Testing/Golden.</summary>
    public static string Committed(string relativePath) =>
        Path.Combine(SharedData.ProjectRoot, "tests", "DeRa.Testing", "Golden", relativePath);
}
