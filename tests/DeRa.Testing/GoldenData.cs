namespace DeRa.Testing;

/// <summary>The golden checkpoints: some lie in the source tree, all of them in the data folder beside the checkout.</summary>
public static class GoldenData
{
    /// <summary>Folders under tests/DeRa.Testing/Golden that hold a model.</summary>
    public static IReadOnlyList<string> CommittedModels { get; } =
        ["llama-llama3", "qwen2", "qwen3", "gemma2", "gpt2", "gpt_neox-sequential", "pair/sft"];

    /// <summary>Golden folders that lie only in the data folder; paths for <see cref="SharedData.Find"/>.</summary>
    public static IReadOnlyList<string> SharedModels { get; } =
    [
        "golden/llama-gqa", "golden/llama-linear-bias", "golden/mistral-swa", "golden/gpt_neox-parallel", "golden/pair/aligned",
        "golden/pair/merged",
    ];

    /// <summary>The full path of something under tests/DeRa.Testing/Golden.</summary>
    public static string Committed(string relativePath) =>
        Path.Combine(SharedData.ProjectRoot, "tests", "DeRa.Testing", "Golden", relativePath);
}
