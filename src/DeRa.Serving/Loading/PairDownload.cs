using DeRa.Hub;
using DeRa.Torch.Execution;
using DeRa.Torch.Weights;
using Microsoft.Extensions.Logging;

namespace DeRa.Serving.Loading;

/// <summary>Turns a pair's models, where they are named as on the Hugging Face Hub, into folders.</summary>
/// <param name="models">The Hub and its cache.</param>
/// <param name="progress">Takes bytes downloaded, under the model's name; null = nobody.</param>
/// <param name="logger">Takes what is downloaded and where it lies.</param>
internal sealed partial class PairDownload(HubModels models, IProgress<LoadProgress>? progress, ILogger logger)
    : IProgress<DownloadProgress>
{
    /// <summary>Whether any of the models is not a folder here, so that the Hub and its settings matter at all.</summary>
    public static bool IsNeeded(PairOptions pair) =>
        !pair.Paths.All(Directory.Exists);

    /// <summary>The same pair with folders only; models that are folders already are left as they are.</summary>
    /// <exception cref="HubException">A model is neither a folder nor on the Hub, or cannot be had.</exception>
    /// <exception cref="OperationCanceledException">Cancelled.</exception>
    public Task<PairOptions> ResolveAsync(PairOptions pair, CancellationToken cancellation) =>
        pair.WithPathsAsync(model => ResolveAsync(model, cancellation));

    /// <inheritdoc/>
    public void Report(DownloadProgress value) =>
        progress?.Report(new LoadProgress($"download of {value.Model}", value.DownloadedBytes, value.TotalBytes));

    private async Task<string> ResolveAsync(string model, CancellationToken cancellation)
    {
        if (Directory.Exists(model)) return model;
        FromHub(logger, model);
        var folder = await models.ResolveAsync(model, revision: null, this, cancellation);
        InFolder(logger, model, folder);
        return folder;
    }

    /// <summary>What is asked of the Hub, and what of it is tried again.</summary>
    [LoggerMessage(3, LogLevel.Information, "{Text}")]
    public static partial void Notice(ILogger logger, string text);

    [LoggerMessage(1, LogLevel.Information, "{Model} comes from the Hub; what of it is not in the cache is downloaded")]
    private static partial void FromHub(ILogger logger, string model);

    [LoggerMessage(2, LogLevel.Information, "{Model} is in {Folder}")]
    private static partial void InFolder(ILogger logger, string model, string folder);
}
