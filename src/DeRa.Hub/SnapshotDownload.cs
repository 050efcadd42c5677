using Polly;

namespace DeRa.Hub;

/// <summary>Brings files of one commit into the cache, several at once; what is there already is not asked for.</summary>
internal sealed class SnapshotDownload(
    HubClient client, ResiliencePipeline retries, TimeProvider time, CachedRepository repository, HubName name,
    RepositoryListing listing, DownloadTally tally)
{
    /// <summary>Free bytes where a folder lies.</summary>
    public required Func<string, long> FreeBytes { get; init; }

    /// <summary>Gets the files. The first failure stops the others, which can be resumed.</summary>
    /// <exception cref="HubException">One cannot be had, or the disk has no room for them.</exception>
    public async Task GetAsync(IReadOnlyList<string> paths, int parallelFiles, CancellationToken cancellation)
    {
        var files = new List<RemoteFile>();
        foreach (var path in paths) files.Add(await DescribeAsync(path, cancellation));
        tally.Expect(files);
        var wanted = files.Where(file => !IsThere(file)).ToList();
        foreach (var file in files.Except(wanted)) tally.Set(file, file.SizeBytes, wasThere: true);
        if (wanted.Count == 0) return;
        CheckSpace(wanted);
        var options = new ParallelOptions { MaxDegreeOfParallelism = parallelFiles, CancellationToken = cancellation };
        await Parallel.ForEachAsync(wanted, options, async (file, token) => await GetAsync(file, token));
    }

    private async Task<RemoteFile> DescribeAsync(string path, CancellationToken cancellation) =>
        listing.Files.TryGetValue(path, out var file)
            ? file ?? await retries.ExecuteAsync(
                async token => await client.DescribeAsync(name, listing.Commit, path, token), cancellation)
            : throw new HubException($"'{name}' has no {path}, which its {ModelFiles.Index} names.");

    private bool IsThere(RemoteFile file) =>
        CachedRepository.LengthOf(Path.Combine(repository.Snapshot(listing.Commit), file.Path)) == file.SizeBytes;

    private async Task GetAsync(RemoteFile file, CancellationToken cancellation)
    {
        using var taken = await CacheLock.TakeAsync(repository.Lock(file.Etag), time, cancellation);
        // Another process may have brought it while we waited.
        var isNew = !IsThere(file) && await LinkAsync(file, cancellation);
        if (!isNew) tally.Set(file, file.SizeBytes);
    }

    /// <returns>Whether it was downloaded, and not found among the blobs.</returns>
    private async Task<bool> LinkAsync(RemoteFile file, CancellationToken cancellation)
    {
        var isNew = await BringAsync(file, cancellation);
        repository.Link(listing.Commit, file, isNew);
        return isNew;
    }

    private async Task<bool> BringAsync(RemoteFile file, CancellationToken cancellation)
    {
        var (blob, incomplete) = (repository.Blob(file.Etag), repository.Incomplete(file.Etag));
        if (CachedRepository.LengthOf(blob) == file.SizeBytes) return false;
        Directory.CreateDirectory(Path.GetDirectoryName(blob)!);
        await new FileDownload(client, retries, time, name, listing.Commit, file)
            .RunAsync(incomplete, bytes => tally.Set(file, bytes), cancellation);
        File.Move(incomplete, blob, overwrite: true);
        return true;
    }

    private void CheckSpace(IReadOnlyList<RemoteFile> wanted)
    {
        Directory.CreateDirectory(repository.CacheFolder);
        var needed = wanted.Where(file => CachedRepository.LengthOf(repository.Blob(file.Etag)) is null)
            .Sum(file => file.SizeBytes - (CachedRepository.LengthOf(repository.Incomplete(file.Etag)) ?? 0));
        var free = FreeBytes(repository.CacheFolder);
        if (needed > free)
            throw new HubException($"'{name}' needs {needed:N0} more bytes, but the disk of {repository.CacheFolder} has {free:N0} "
                + "left. Free some, or name another place with HF_HUB_CACHE.");
    }
}
