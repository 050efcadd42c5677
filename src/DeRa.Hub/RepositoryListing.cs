using System.Text.Json;
using System.Text.Json.Serialization;

namespace DeRa.Hub;

/// <summary>What a repository holds at one commit, as the Hub's API tells it.</summary>
/// <param name="Commit">40 hexadecimal digits; null where the server does not say.</param>
/// <param name="Files">What is told of every file, by its path.</param>
internal sealed record RepositoryListing(string? Commit, IReadOnlyDictionary<string, FileFacts> Files)
{
    /// <summary>Reads the answer of <c>/api/models/…/revision/…?blobs=true</c>.</summary>
    /// <returns>Null where it is not such an answer.</returns>
    public static RepositoryListing? Read(ReadOnlySpan<byte> json)
    {
        try
        {
            var answer = JsonSerializer.Deserialize<Answer>(json, JsonSerializerOptions.Web);
            return answer?.Siblings is null ? null : new RepositoryListing(
                answer.Sha is { } commit && Checksum.IsGitHash(commit) ? commit : null,
                answer.Siblings
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

    private sealed record Answer(string? Sha, IReadOnlyList<Sibling?>? Siblings);

    private sealed record Sibling([property: JsonPropertyName("rfilename")] string? Path, long? Size, string? BlobId, LargeFile? Lfs)
    {
        public FileFacts ToFacts() => new(
            FileFacts.ReadChecksum(Lfs?.Sha256) ?? FileFacts.ReadChecksum(BlobId), FileFacts.Size(Lfs?.Size ?? Size));
    }

    private sealed record LargeFile(string? Sha256, long? Size);
}
