using Polly;

namespace DeRa.Hub;

/// <summary>Brings files of one commit into the cache, several at once; what is there already is not asked for.</summary>
/// <param name="client">Asks the Hub.</param>
/// <param name="retries">How often.</param>
/// <param name="time">The clock of waits.</param>
/// <param name="repository">The model's place in the cache.</param>
/// <param name="name">The model, for messages.</param>
/// <param name="contents">What is where.</param>
/// <param name="tally">Counts what comes.</param>
internal sealed class SnapshotDownload(
    HubClient client, ResiliencePipeline retries, TimeProvider time, CachedRepository repository, HubName name,
    SnapshotContents contents, DownloadTally tally)
{
    /// <summary>Free bytes where a folder lies.</summary>
    public required Func<string, long> FreeBytes { get; init; }

    /// <summary>Gets the files. The first failure stops the others, which can be resumed.</summary>
    /// <exception cref="HubException">One cannot be had, or the disk has no room for them.</exception>
    public async Task GetAsync(IReadOnlyList<string> paths, int parallelFiles, CancellationToken cancellation)
    {
        var files = new List<RemoteFile>();
        foreach (var path in paths) files.Add((await contents.DescribeAsync(path, cancellation)).ToFile(path, contents.Commit));
        tally.Expect(files);
        var wanted = files.Where(file => Length(file) is null).ToList();
        foreach (var file in files.Except(wanted)) tally.Finish(file, Length(file)!.Value, wasThere: true);
        if (wanted.Count == 0) return;
        CheckSpace(wanted);
        var options = new ParallelOptions { MaxDegreeOfParallelism = parallelFiles, CancellationToken = cancellation };
        await Parallel.ForEachAsync(wanted, options, async (file, token) => await GetAsync(file, token));
    }

    /// <summary>The length of a file that is there and whole; else null.</summary>
    private long? Length(RemoteFile file) => WholeLength(Path.Combine(repository.Snapshot(contents.Commit), file.Path), file);

    /// <summary>What is not whole has no such name; yet other programs may have written it.</summary>
    private static long? WholeLength(string path, RemoteFile file) =>
        CachedRepository.LengthOf(path) is { } length && (file.SizeBytes ?? length) == length ? length : null;

    private async Task GetAsync(RemoteFile file, CancellationToken cancellation)
    {
        using var taken = await CacheLock.TakeAsync(repository.Lock(file.Etag), time, cancellation);
        // Another process may have brought it while we waited.
        var isNew = Length(file) is null && await LinkAsync(file, cancellation);
        if (!isNew || file.SizeBytes is null) tally.Finish(file, Length(file) ?? 0);
    }

    /// <returns>Whether it was downloaded, and not found among the blobs.</returns>
    private async Task<bool> LinkAsync(RemoteFile file, CancellationToken cancellation)
    {
        var isNew = await BringAsync(file, cancellation);
        repository.Link(contents.Commit, file, isNew);
        return isNew;
    }

    private async Task<bool> BringAsync(RemoteFile file, CancellationToken cancellation)
    {
        var (blob, incomplete) = (repository.Blob(file.Etag), repository.Incomplete(file.Etag));
        if (WholeLength(blob, file) is not null) return false;
        Directory.CreateDirectory(Path.GetDirectoryName(blob)!);
        await new FileDownload(client, retries, time, name, contents.Revision, file)
            .RunAsync(incomplete, bytes => tally.Set(file, bytes), cancellation);
        File.Move(incomplete, blob, overwrite: true);
        return true;
    }

    private void CheckSpace(IReadOnlyList<RemoteFile> wanted)
    {
        Directory.CreateDirectory(repository.CacheFolder);
        var needed = wanted.Where(file => CachedRepository.LengthOf(repository.Blob(file.Etag)) is null)
            .Sum(file => (file.SizeBytes ?? 0) - (CachedRepository.LengthOf(repository.Incomplete(file.Etag)) ?? 0));
        var free = FreeBytes(repository.CacheFolder);
        if (needed > free)
            throw new HubException($"'{name}' needs {needed:N0} more bytes, but the disk of {repository.CacheFolder} has {free:N0} "
                + "left. Free some, or name another place with HF_HUB_CACHE.");
    }
}
