namespace DeRa.Hub;

/// <summary>What the cache has of a model at a revision.</summary>
/// <param name="Folder">The snapshot; it need not be there.</param>
/// <param name="Missing">Files without which the model cannot be used; null where there is no snapshot at all.</param>
internal sealed record CachedModel(string Folder, IReadOnlyList<string>? Missing)
{
    /// <summary>Whether it can be used without the Hub.</summary>
    public bool IsWhole => Missing is [];

    /// <summary>Looks a model up, whoever downloaded it.</summary>
    public static CachedModel Find(CachedRepository repository, string revision, bool withWeights)
    {
        var folder = repository.FindCommit(revision) is { } commit ? repository.Snapshot(commit) : "";
        return new CachedModel(folder, Directory.Exists(folder) ? MissingIn(folder, withWeights) : null);
    }

    /// <summary>An index that cannot be read is as good as none: the Hub may have a whole one.</summary>
    private static IReadOnlyList<string> MissingIn(string folder, bool withWeights)
    {
        try
        {
            return ModelFiles.Missing(folder, withWeights);
        }
        catch (HubException)
        {
            return [ModelFiles.Index];
        }
    }

    /// <summary>The folder, where the Hub may not be asked.</summary>
    /// <exception cref="HubException">Something is missing; the message names it.</exception>
    public string FolderOffline(HubName name) => Missing switch
    {
        [] => Folder,
        null => throw new HubException($"'{name}' is neither a folder here nor in the Hub's cache, and HF_HUB_OFFLINE is set. "
            + $"Run 'dera pull {name}' where there is a network."),
        _ => throw new HubException($"'{name}' lacks {string.Join(", ", Missing)} in {Folder}, and HF_HUB_OFFLINE is set. "
            + $"Run 'dera pull {name}' where there is a network."),
    };
}
