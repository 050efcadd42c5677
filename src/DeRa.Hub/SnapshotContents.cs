using Polly;

namespace DeRa.Hub;

/// <summary>
/// What a snapshot holds: the listing, and of what it leaves out what the server says when it is asked for the file itself.
/// </summary>
internal sealed class SnapshotContents
{
    private readonly HubClient _client;
    private readonly ResiliencePipeline _retries;
    private readonly HubName _name;
    private readonly Dictionary<string, FileFacts> _files;
    private readonly HashSet<string> _asked = [];

    private SnapshotContents(HubClient client, ResiliencePipeline retries, HubName name, RepositoryListing listing)
    {
        (_client, _retries, _name) = (client, retries, name);
        (_files, Commit, Revision) = (new(listing.Files), listing.Commit ?? "", listing.Commit ?? name.Revision);
    }

    /// <summary>
    /// The name of the snapshot: the commit, or from a server that names none 40 hexadecimal digits that change with the files.
    /// </summary>
    public string Commit { get; private set; }

    /// <summary>What files are asked for under: the commit, or where none is named the revision that is wanted.</summary>
    public string Revision { get; private set; }

    /// <summary>Begins with what the listing says.</summary>
    /// <param name="client">Asks the Hub.</param>
    /// <param name="retries">How often.</param>
    /// <param name="name">The model.</param>
    /// <param name="listing">What the Hub says it holds.</param>
    /// <param name="needed">Files that stand for all where the listing names no commit.</param>
    /// <param name="cancellation">Stops it.</param>
    /// <exception cref="HubException">A file is not there, or nothing is reported by which a download could be checked.</exception>
    public static async Task<SnapshotContents> OfAsync(HubClient client, ResiliencePipeline retries, HubName name,
        RepositoryListing listing, IEnumerable<string> needed, CancellationToken cancellation)
    {
        var contents = new SnapshotContents(client, retries, name, listing);
        if (listing.Commit is null) await contents.FindCommitAsync(needed, cancellation);
        return contents;
    }

    /// <summary>What is known of a file; it suffices to check a download.</summary>
    /// <exception cref="HubException">It is not there, or nothing is reported by which a download could be checked.</exception>
    public async Task<FileFacts> DescribeAsync(string path, CancellationToken cancellation)
    {
        if (!_files.TryGetValue(path, out var listed))
            throw new HubException($"'{_name}' has no {path}, which its {ModelFiles.Index} names.");
        if (listed.AreComplete || !_asked.Add(path)) return listed;
        return _files[path] = await _retries.ExecuteAsync(
            async token => await _client.DescribeAsync(_name, Revision, path, listed, token), cancellation);
    }

    private async Task FindCommitAsync(IEnumerable<string> needed, CancellationToken cancellation)
    {
        var facts = new SortedDictionary<string, FileFacts>(StringComparer.Ordinal);
        foreach (var path in needed)
        {
            // Asked even where the listing says enough: the response has the commit.
            _asked.Add(path);
            _files[path] = facts[path] = await _retries.ExecuteAsync(
                async token => await _client.DescribeAsync(_name, Revision, path, _files[path], token), cancellation);
            if (facts[path].Commit is not { } commit) continue;
            (Commit, Revision) = (commit, commit);
            return;
        }
        // Where there are checksums, tags may change with every response and mean nothing.
        Commit = FileFacts.Fingerprint(facts.Select(file => $"{file.Key} {file.Value.Checksum ?? file.Value.Tag} {file.Value.SizeBytes}"));
    }
}
