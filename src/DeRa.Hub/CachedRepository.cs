namespace DeRa.Hub;

/// <summary>
/// One model's place in the cache, laid out as Python's huggingface_hub does: <c>blobs/ETAG</c> hold the content,
/// <c>snapshots/COMMIT/FILE</c> are relative links to them, <c>refs/REVISION</c> hold the commit that a branch or tag meant
/// when it was last looked up.
/// </summary>
internal sealed class CachedRepository
{
    private readonly string _folder;
    private readonly string _locks;

    /// <param name="cacheFolder">The whole cache.</param>
    /// <param name="repository">A valid repository name.</param>
    public CachedRepository(string cacheFolder, string repository)
    {
        var name = "models--" + repository.Replace("/", "--", StringComparison.Ordinal);
        (CacheFolder, _folder, _locks) = (cacheFolder, Path.Combine(cacheFolder, name), Path.Combine(cacheFolder, ".locks", name));
    }

    /// <summary>The whole cache.</summary>
    public string CacheFolder { get; }

    /// <summary>The content that is complete and checked.</summary>
    public string Blob(string etag) => Path.Combine(_folder, "blobs", etag);

    /// <summary>Content that is being downloaded or was interrupted; a later download resumes at its end.</summary>
    public string Incomplete(string etag) => Blob(etag) + ".incomplete";

    /// <summary>Locked by the process that downloads that content.</summary>
    public string Lock(string etag) => Path.Combine(_locks, etag + ".lock");

    /// <summary>The folder of a commit's files.</summary>
    public string Snapshot(string commit) => Path.Combine(_folder, "snapshots", commit);

    /// <summary>The commit that the cache knows for a revision, or null.</summary>
    public string? FindCommit(string revision)
    {
        if (Checksum.IsGitHash(revision)) return revision;
        var path = Ref(revision);
        return File.Exists(path) && File.ReadAllText(path).Trim() is var commit && Checksum.IsGitHash(commit) ? commit : null;
    }

    /// <summary>Remembers which commit a revision means. The file appears whole or not at all.</summary>
    public void WriteRef(string revision, string commit)
    {
        if (FindCommit(revision) == commit) return;
        var path = Ref(revision);
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        var written = $"{path}.{Guid.NewGuid():N}.tmp";
        File.WriteAllText(written, commit);
        File.Move(written, path, overwrite: true);
    }

    /// <summary>Makes a snapshot's file stand for a blob.</summary>
    /// <param name="commit">The snapshot.</param>
    /// <param name="file">The file, whose blob is there.</param>
    /// <param name="isNewBlob">Whether no other snapshot can have that blob yet.</param>
    public void Link(string commit, RemoteFile file, bool isNewBlob)
    {
        var (link, blob) = (Path.Combine(Snapshot(commit), file.Path), Blob(file.Etag));
        var folder = Path.GetDirectoryName(link)!;
        Directory.CreateDirectory(folder);
        File.Delete(link);
        try
        {
            File.CreateSymbolicLink(link, Path.GetRelativePath(folder, blob));
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            // Windows without developer mode, some network drives. As Python does: a new blob need not lie there twice.
            if (isNewBlob) File.Move(blob, link, overwrite: true);
            else File.Copy(blob, link, overwrite: true);
        }
    }

    /// <summary>
    /// A file's length, links followed; null where there is none or the link leads nowhere. The file is not opened: that would
    /// lock it for a moment against the process that downloads it.
    /// </summary>
    public static long? LengthOf(string path)
    {
        try
        {
            var file = new FileInfo(path);
            if (file.Exists && file.ResolveLinkTarget(returnFinalTarget: true) is FileInfo target) file = target;
            return file.Exists ? file.Length : null;
        }
        catch (Exception exception) when (exception is FileNotFoundException or DirectoryNotFoundException)
        {
            return null;
        }
    }

    private string Ref(string revision) => Path.Combine(_folder, "refs", revision);
}
