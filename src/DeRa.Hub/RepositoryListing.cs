using System.Text.Json;
using System.Text.Json.Serialization;

namespace DeRa.Hub;

/// <summary>What a repository holds at one commit, as the Hub's API tells it.</summary>
internal sealed record RepositoryListing
{
    private RepositoryListing(string commit, IReadOnlyDictionary<string, RemoteFile?> files) => (Commit, Files) = (commit, files);

    /// <summary>40 hexadecimal digits.</summary>
    public string Commit { get; }

    /// <summary>Every file by its path; null where the server names the file but not its length and checksum.</summary>
    public IReadOnlyDictionary<string, RemoteFile?> Files { get; }

    /// <summary>Reads the answer of <c>/api/models/…/revision/…?blobs=true</c>.</summary>
    /// <returns>Null where it is not such an answer.</returns>
    public static RepositoryListing? Read(ReadOnlySpan<byte> json)
    {
        try
        {
            var answer = JsonSerializer.Deserialize<Answer>(json, JsonSerializerOptions.Web);
            if (answer?.Sha is not { } commit || !Checksum.IsGitHash(commit) || answer.Siblings is null) return null;
            return new RepositoryListing(commit, answer.Siblings
                .OfType<Sibling>()
                .Where(sibling => sibling.Path is not null)
                .DistinctBy(sibling => sibling.Path)
                .ToDictionary(sibling => sibling.Path!, sibling => sibling.ToFile()));
        }
        catch (JsonException)
        {
            return null;
        }
    }

    private sealed record Answer(string? Sha, IReadOnlyList<Sibling?>? Siblings);

    private sealed record Sibling([property: JsonPropertyName("rfilename")] string? Path, long? Size, string? BlobId, LargeFile? Lfs)
    {
        public RemoteFile? ToFile()
        {
            var (etag, size) = Lfs is null ? (BlobId, Size) : (Lfs.Sha256, Lfs.Size);
            return etag is not null && Checksum.IsKnown(etag) && size is >= 0 and <= RemoteFile.LongestBytes ? new RemoteFile(Path!, etag, size.Value) : null;
        }
    }

    private sealed record LargeFile(string? Sha256, long? Size);
}
