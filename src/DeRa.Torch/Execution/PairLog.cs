using Microsoft.Extensions.Logging;

namespace DeRa.Torch.Execution;

/// <summary>What is logged while a pair loads.</summary>
internal static partial class PairLog
{
    [LoggerMessage(1, LogLevel.Information,
        "Model '{Model}', {Folder}: {ElementType} on {Device}, weights {WeightMebibytes:N1} MiB, "
        + "cache {CacheMebibytes:N1} MiB in {CacheType}")]
    public static partial void ModelLoaded(ILogger logger, string model, string folder, string elementType, string device,
        double weightMebibytes, double cacheMebibytes, string cacheType);

    [LoggerMessage(2, LogLevel.Information,
        "Cache: {Blocks} blocks of {BlockTokens} tokens for each model, {Mebibytes:N1} MiB together; context {ContextTokens} tokens; "
        + "{LogitSlots} rows of logits kept between steps, {LogitMebibytes:N1} MiB")]
    public static partial void CacheAllocated(ILogger logger, int blocks, int blockTokens, double mebibytes, int contextTokens,
        int logitSlots, double logitMebibytes);

    [LoggerMessage(3, LogLevel.Information, "{Models}: weights loaded once, with {Adapters} adapters; all run in one pass")]
    public static partial void WeightsShared(ILogger logger, string models, int adapters);

    [LoggerMessage(4, LogLevel.Warning,
        "The tokenizer has {TokenizerSize} tokens, the narrowest output layer {Width}: tokens from {Width} on cannot be used")]
    public static partial void TokenizerWider(ILogger logger, int tokenizerSize, int width);

    [LoggerMessage(5, LogLevel.Warning, "The cache holds only {CacheTokens} tokens; the context is lowered to that from {ContextTokens}")]
    public static partial void ContextLowered(ILogger logger, int cacheTokens, int contextTokens);

    [LoggerMessage(9, LogLevel.Warning,
        "Model '{Model}', {Folder}: config.json ties the output layer to the embedding, but another one is stored, which is used")]
    public static partial void StoredOutputUsed(ILogger logger, string model, string folder);

    [LoggerMessage(10, LogLevel.Information,
        "Prompts are multiplied by libtorch (--prefill-kernel torch): what a seed gives may depend on the requests beside it")]
    public static partial void PrefillByLibTorch(ILogger logger);
}
