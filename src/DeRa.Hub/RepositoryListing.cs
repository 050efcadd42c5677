using System.Text.Json;
using System.Text.Json.Serialization;

namespace DeRa.Hub;

/// <summary>What a repository holds at one commit, as the Hub's API reports it.</summary>
/// <param name="Commit">40 hexadecimal digits; null where the server does not say.</param>
/// <param name="Files">What is reported about every file, by its path.</param>
internal sealed record RepositoryListing(string? Commit, IReadOnlyDictionary<string, FileFacts> Files)
{
    /// <summary>Reads the response of <c>/api/models/…/revision/…?blobs=true</c>.</summary>
    /// <returns>Null where it is not such a response.</returns>
    public static RepositoryListing? Read(ReadOnlySpan<byte> json)
    {
        try
        {
            var response = JsonSerializer.Deserialize<Response>(json, JsonSerializerOptions.Web);
            return response?.Siblings is null ? null : new RepositoryListing(
                response.Sha is { } commit && Checksum.IsGitHash(commit) ? commit : null,
                response.Siblings
                    .OfType<Sibling>()
                    .Where(sibling => sibling.Path is not null)
                    .DistinctBy(sibling => sibling.Path)
                    .ToDictionary(sibling => sibling.Path!, sibling => sibling.ToFacts()));
        }
        catch (JsonException)
        {
            return null;
        }
    }

    private sealed record Response(string? Sha, IReadOnlyList<Sibling?>? Siblings);

    private sealed record Sibling([property: JsonPropertyName("rfilename")] string? Path, long? Size, string? BlobId, LargeFile? Lfs)
    {
        public FileFacts ToFacts() => new(
            FileFacts.ReadChecksum(Lfs?.Sha256) ?? FileFacts.ReadChecksum(BlobId), FileFacts.Size(Lfs?.Size ?? Size));
    }

    private sealed record LargeFile(string? Sha256, long? Size);
}
