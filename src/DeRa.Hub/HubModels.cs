using Polly;

namespace DeRa.Hub;

/// <summary>
/// Turns what a user calls a model, a folder or a name on the Hub, into a folder. What comes from the Hub lies in the cache
/// that Python's huggingface_hub uses, and is shared with it. Any thread.
/// </summary>
public sealed class HubModels : IDisposable
{
    private readonly HubOptions _options;
    private readonly TimeProvider _time;
    private readonly HubClient _client;
    private readonly ResiliencePipeline _retries;

    /// <param name="options">Where from and where to.</param>
    /// <param name="time">The clock of waits and time limits.</param>
    public HubModels(HubOptions options, TimeProvider time)
    {
        ArgumentNullException.ThrowIfNull(options);
        (_options, _time) = (options, time);
        (_client, _retries) = (new HubClient(options, time), HubRetries.Create(time, text => Notice?.Invoke(text)));
    }

    /// <summary>
    /// Called with a sentence, from any thread, when the Hub is asked about a model and when something is tried again; null = nobody.
    /// </summary>
    public Action<string>? Notice { get; init; }

    /// <summary>
    /// What is wrong with a text as a model's: null where it is a folder here or may be a name on the Hub, which is not asked.
    /// </summary>
    public static string? Problem(string text) => Directory.Exists(text) ? null : HubName.Problem(text);

    /// <summary>
    /// Checks all models before the first is asked for: nobody waits for one's gigabytes to hear that another's folder is missing.
    /// </summary>
    /// <exception cref="HubException">One is not a folder and cannot be a name on the Hub.</exception>
    public static void Check(IEnumerable<string> models)
    {
        foreach (var model in models)
            if (Problem(model) is { } problem) throw new HubException(problem);
    }

    /// <summary>Free bytes where a folder lies.</summary>
    internal Func<string, long> FreeBytes { get; init; } = FreeBytesOf;

    /// <summary>
    /// The folder of a model: the folder itself where there is one of that name, else one in the cache, into which is
    /// downloaded what of the model's files is not there. Without a network the cache serves, if the model is whole there.
    /// </summary>
    /// <param name="nameOrFolder">A folder, <c>name</c> or <c>organisation/name</c>, either with <c>@revision</c>.</param>
    /// <param name="revision">A branch, a tag or a commit, where the text has none; null = main.</param>
    /// <param name="progress">Takes bytes downloaded, from the downloading threads; null = nobody.</param>
    /// <param name="cancellation">Stops it; the next call goes on from there.</param>
    /// <exception cref="HubException">It is neither, or the model cannot be had; the message says why and what to do.</exception>
    /// <exception cref="OperationCanceledException">Cancelled.</exception>
    public Task<string> ResolveAsync(string nameOrFolder, string? revision = null,
        IProgress<DownloadProgress>? progress = null, CancellationToken cancellation = default) =>
        ResolveAsync(nameOrFolder, revision, withWeights: true, progress, cancellation);

    /// <summary>The same, but of a model on the Hub only configuration and tokenizer are downloaded, which is some megabytes.</summary>
    /// <inheritdoc cref="ResolveAsync(string, string?, IProgress{DownloadProgress}?, CancellationToken)"/>
    public Task<string> ResolveWithoutWeightsAsync(string nameOrFolder, string? revision = null,
        IProgress<DownloadProgress>? progress = null, CancellationToken cancellation = default) =>
        ResolveAsync(nameOrFolder, revision, withWeights: false, progress, cancellation);

    /// <inheritdoc/>
    public void Dispose() => _client.Dispose();

    private static long FreeBytesOf(string folder)
    {
        try
        {
            return new DriveInfo(Path.GetFullPath(folder)).AvailableFreeSpace;
        }
        catch (ArgumentException)
        {
            // A network share on Windows has no drive that could be asked.
            return long.MaxValue;
        }
    }

    private async Task<string> ResolveAsync(
        string nameOrFolder, string? revision, bool withWeights, IProgress<DownloadProgress>? progress, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(nameOrFolder);
        if (Directory.Exists(nameOrFolder))
            return revision is null
                ? nameOrFolder
                : throw new HubException($"{nameOrFolder} is a folder, which has no revision '{revision}'.");
        var name = HubName.Parse(nameOrFolder, revision);
        try
        {
            return await ResolveAsync(name, withWeights, new DownloadTally(name.ToString(), progress), cancellation);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw new HubException($"'{name}' cannot be kept in {_options.CacheFolder}: {exception.Message}", exception);
        }
    }

    private async Task<string> ResolveAsync(HubName name, bool withWeights, DownloadTally tally, CancellationToken cancellation)
    {
        var repository = new CachedRepository(_options.CacheFolder, name.Repository);
        var cached = CachedModel.Find(repository, name.Revision, withWeights);
        if (_options.IsOffline) return cached.FolderOffline(name);
        Notice?.Invoke($"{name}: asking {_options.Endpoint.Host} what it holds.");
        RepositoryListing listing;
        try
        {
            // With the model at hand there is nothing to wait for where the Hub does not respond.
            listing = cached.IsWhole
                ? await _client.ListAsync(name, cancellation)
                : await _retries.ExecuteAsync(async token => await _client.ListAsync(name, token), cancellation);
        }
        catch (HubException exception) when (exception.MayPass && cached.IsWhole)
        {
            return cached.Folder;
        }
        var commit = await DownloadAsync(name, repository, listing, withWeights, tally, cancellation);
        if (withWeights) Remember(repository, name.Revision, commit);
        return repository.Snapshot(commit);
    }

    /// <returns>The snapshot's name.</returns>
    private async Task<string> DownloadAsync(HubName name, CachedRepository repository, RepositoryListing listing, bool withWeights,
        DownloadTally tally, CancellationToken cancellation)
    {
        var paths = listing.Files.Keys.ToHashSet();
        var files = ModelFiles.First(name, paths, withWeights);
        var contents = await SnapshotContents.OfAsync(
            _client, _retries, name, listing, withWeights ? files.Union(ModelFiles.Shards(paths)) : files, cancellation);
        if (files.Contains(ModelFiles.Index))
        {
            // First and untold: with the shards that it names, all that is to come is known, and the sum stays the same.
            await GetAsync([ModelFiles.Index], new DownloadTally(name.ToString(), progress: null));
            files = [.. files, .. ModelFiles.ReadIndex(Path.Combine(repository.Snapshot(contents.Commit), ModelFiles.Index))];
        }
        await GetAsync(files, tally);
        return contents.Commit;

        Task GetAsync(IReadOnlyList<string> wanted, DownloadTally counted) =>
            new SnapshotDownload(_client, _retries, _time, repository, name, contents, counted) { FreeBytes = FreeBytes }
                .GetAsync(wanted, _options.ParallelFiles, cancellation);
    }

    /// <summary>
    /// Only when all is there, so that offline a revision never means half a model. A cache that is read-only stays as it is.
    /// </summary>
    private static void Remember(CachedRepository repository, string revision, string commit)
    {
        try
        {
            repository.WriteRef(revision, commit);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
        }
    }
}
