namespace DeRa.Hub;

/// <summary>A file of a repository, of which enough is known to check that it has come whole.</summary>
/// <param name="Path">Its path in the repository.</param>
/// <param name="Etag">
/// Its name among the cache's blobs: its checksum (see <see cref="Checksum"/>), or a name of ours where the server gives none.
/// </param>
/// <param name="SizeBytes">Its length; null where the server gives a checksum alone.</param>
internal sealed record RemoteFile(string Path, string Etag, long? SizeBytes)
{
    /// <summary>A petabyte: no file is longer, and the lengths of a whole repository can be added up.</summary>
    public const long LongestBytes = 1L << 50;
}
