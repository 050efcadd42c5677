using DeRa.Hub;
using DeRa.Torch.Execution;

namespace DeRa.Cli.Arguments;

/// <summary>Turns what users call models into folders, and shows what is downloaded for it.</summary>
internal static class ModelFolders
{
    /// <summary>A model's folder. Of one that is not on this machine a line says at once that the Hub is asked.</summary>
    /// <param name="model">A folder, or a name on the Hub.</param>
    /// <param name="withWeights">False: configuration and tokenizer suffice.</param>
    /// <param name="error">Where progress is shown: a bar where that is a terminal, else lines.</param>
    /// <param name="cancellation">Stops it.</param>
    /// <exception cref="HubException">The model cannot be had.</exception>
    public static async Task<string> ResolveAsync(string model, bool withWeights, TextWriter error, CancellationToken cancellation)
    {
        if (Directory.Exists(model)) return model;
        using var progress = new ConsoleDownloadProgress(
            error, isTerminal: ReferenceEquals(error, Console.Error) && !Console.IsErrorRedirected);
        using var models = new HubModels(HubOptions.FromEnvironment(), TimeProvider.System) { Notice = progress.Note };
        return withWeights
            ? await models.ResolveAsync(model, revision: null, progress, cancellation)
            : await models.ResolveWithoutWeightsAsync(model, revision: null, progress, cancellation);
    }

    /// <summary>The same pair with folders only.</summary>
    /// <inheritdoc cref="ResolveAsync(string, bool, TextWriter, CancellationToken)"/>
    public static Task<PairOptions> ResolveAsync(PairOptions pair, TextWriter error, CancellationToken cancellation)
    {
        HubModels.Check(pair.Paths);
        return pair.WithPathsAsync(model => ResolveAsync(model, withWeights: true, error, cancellation));
    }
}
