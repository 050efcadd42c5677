namespace DeRa.Hub;

/// <summary>A file of a repository.</summary>
/// <param name="Path">Its path in the repository.</param>
/// <param name="Etag">Its checksum, which is its name among the cache's blobs: see <see cref="Checksum"/>.</param>
/// <param name="SizeBytes">Its length.</param>
internal sealed record RemoteFile(string Path, string Etag, long SizeBytes)
{
    /// <summary>A petabyte: no file is longer, and the lengths of a whole repository can be added up.</summary>
    public const long LongestBytes = 1L << 50;
}
