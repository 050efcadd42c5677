namespace DeRa.Testing;

/// <summary>The default pair in the source tree, from where builds and publishes take it.</summary>
public static class DefaultPairWeights
{
    /// <summary>The folder of a model, <c>reference</c> or <c>aligned</c>.</summary>
    public static string Folder(string model) => Path.Combine(SharedData.ProjectRoot, "src", "DeRa.Serving", "DefaultPair", model);

    /// <summary>The pair's files and its card, as paths from the program's folder.</summary>
    public static IReadOnlySet<string> Files { get; } = new HashSet<string>(
        from model in (string[])["reference", "aligned"]
        from file in (string[])["config.json", "generation_config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json"]
        select $"models/default/{model}/{file}") { "models/default/README.md" };
}
