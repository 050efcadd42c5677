using DeRa.Serving.Inspection;
using DeRa.Text.Chat;
using DeRa.Torch.Configuration;
using static DeRa.Cli.FactTable;

namespace DeRa.Cli;

/// <summary>What <c>dera inspect</c> says of one model.</summary>
internal static class ModelReport
{
    /// <summary>Lines without a last line end.</summary>
    /// <param name="name">The model as the user named it.</param>
    /// <param name="model">What was found.</param>
    public static string Of(string name, ModelInspection model)
    {
        var table = new FactTable(name);
        if (model.Checkpoint.Config is { } config) AddConfig(table, model, config);
        table.Add("stored", Stored(model));
        if (model.Tokenizer is { } tokenizer)
            table.Add("tokenizer",
                $"{model.TokenizerKind}, {Number(tokenizer.VocabularySize)} tokens, ends a text with {EndTokens(model)}");
        table.Add("chat template", Describe(model.ChatTemplate));
        if (model.Checkpoint.HasUntiedOutput)
            table.Add("warning", "config.json ties the output layer to the embedding, but another one is stored, which is used");
        foreach (var problem in model.Problems) table.Add("problem", problem);
        return table.ToString();
    }

    /// <summary>Whether chats can be laid out by a template.</summary>
    public static string Describe(ChatTemplate? template) => template switch
    {
        null => "no",
        { Fault: { } fault } => $"cannot be used, so that chats are refused: {fault.Message}",
        _ => "yes",
    };

    private static void AddConfig(FactTable table, ModelInspection model, ModelConfig config) => table
        .Add("family", config.Family.ToString())
        .Add("parameters", Number(model.Checkpoint.ParameterCount))
        .Add("context", $"{Number(config.ContextTokens)} tokens")
        .Add("layers", $"{config.LayerCount} of width {Number(config.HiddenSize)}, feed-forward {Number(config.IntermediateSize)}")
        .Add("attention",
            $"{config.HeadCount} heads of {config.HeadDimension}, {config.KeyValueHeadCount} for keys and values{Windows(config)}")
        .Add("output",
            $"{Number(config.VocabularySize)} wide, {(config.TiedEmbeddings ? "tied to the embedding" : "with weights of its own")}")
        .AddBytes("weights", model.Checkpoint.WeightBytes)
        .AddBytes("cache per token", model.Checkpoint.CacheBytesPerToken);

    private static string Windows(ModelConfig config) => config.WindowTokens.OfType<int>().ToList() switch
    {
        [] => "",
        var windows => $", {windows.Count} layers see {string.Join(" or ", windows.Distinct().Select(window => Number(window)))} tokens",
    };

    private static string Stored(ModelInspection model) => model.Checkpoint.StoredElements switch
    {
        null when model.Problems.Count > 0 => "not read",
        null => "not here ('dera pull' gets the weights)",
        { Count: 1 } types => types.Keys.Single(),
        var types => string.Join(", ", types.Select(type => $"{type.Key} ({Number(type.Value)} elements)")),
    };

    private static string EndTokens(ModelInspection model) => model.EndTokens is []
        ? "no token"
        : string.Join(", ", model.EndTokens.Select(token => token < model.Tokenizer!.VocabularySize
            ? $"{token} {model.Tokenizer.GetToken(token)}" : $"{token}"));
}
