using System.Net;
using Polly;

namespace DeRa.Hub;

/// <summary>Brings one file's content into the cache, resuming where an earlier download was interrupted.</summary>
internal sealed class FileDownload(
    HubClient client, ResiliencePipeline retries, TimeProvider time, HubName name, string revision, RemoteFile file)
{
    private const int PieceBytes = 1 << 17;

    /// <summary>After so much in one go an interruption is bad luck: the next attempt begins at once, with all its retries.</summary>
    private const long ProgressBytes = 1 << 20;

    /// <summary>How often a file that arrives wrong is fetched.</summary>
    private const int MostFetches = 2;

    /// <summary>
    /// The length from which the attempts count: growing up to it again, with a server that ignores ranges, is not progress.
    /// </summary>
    private long _reached;

    /// <summary>Downloads and checks. Where it is interrupted or cancelled, what has come stays for the next time.</summary>
    /// <param name="path">Where the content grows; nobody else may write there.</param>
    /// <param name="onBytes">Takes how much is there.</param>
    /// <param name="cancellation">Stops it.</param>
    /// <exception cref="HubException">It cannot be had, or arrives wrong each time.</exception>
    public async Task RunAsync(string path, Action<long> onBytes, CancellationToken cancellation)
    {
        for (var fetch = 1; ; fetch++)
        {
            try
            {
                await FillAsync(path, onBytes, cancellation);
                if (!Checksum.IsKnown(file.Etag) || await Checksum.MatchesAsync(path, file.Etag, cancellation)) return;
                throw new CorruptFileException("its checksum is not the one that the Hub names");
            }
            catch (CorruptFileException exception)
            {
                File.Delete(path);
                onBytes(0);
                if (fetch == MostFetches)
                    throw new HubException($"'{name}': {file.Path} arrived wrong {MostFetches} times: {exception.Message}.", exception);
            }
        }
    }

    private async Task FillAsync(string path, Action<long> onBytes, CancellationToken cancellation)
    {
        await using var target = new FileStream(path, FileMode.OpenOrCreate, FileAccess.Write, FileShare.None, bufferSize: 0);
        // Of a file of unknown length a part cannot be distinguished from the whole.
        if (file.SizeBytes is null || target.Length > file.SizeBytes) target.SetLength(0);
        _reached = target.Seek(0, SeekOrigin.End);
        onBytes(_reached);
        do await retries.ExecuteAsync(async token => await AppendAsync(target, onBytes, token), cancellation);
        while (target.Length < file.SizeBytes);
    }

    /// <summary>One request: appends what comes of it.</summary>
    private async Task AppendAsync(FileStream target, Action<long> onBytes, CancellationToken cancellation)
    {
        using var guard = new StallGuard(name, time, cancellation);
        if (file.SizeBytes is null) target.SetLength(0);
        using var response = await client.OpenAsync(name, revision, file.Path, target.Length, guard);
        if (Begin(response, target.Length) == 0) target.SetLength(0);
        try
        {
            await CopyAsync(response, guard, target, onBytes, cancellation);
        }
        catch (HubException interrupted) when (interrupted.MayPass && target.Length - _reached >= ProgressBytes)
        {
            _reached = target.Length;
            return;
        }
        if (target.Length < file.SizeBytes)
            throw new CorruptFileException($"it has {target.Length} bytes instead of {file.SizeBytes}");
    }

    private async Task CopyAsync(
        HttpResponseMessage response, StallGuard guard, FileStream target, Action<long> onBytes, CancellationToken cancellation)
    {
        var address = response.RequestMessage!.RequestUri!;
        await using var source = await guard.WaitAsync(address, async token => await HubClient.ReadAsync(response, token));
        var piece = new byte[PieceBytes];
        while (await guard.WaitAsync(address, token => source.ReadAsync(piece, token)) is > 0 and var read)
        {
            if (target.Length + read > (file.SizeBytes ?? RemoteFile.LongestBytes))
                throw new CorruptFileException($"it has more than {file.SizeBytes} bytes");
            await target.WriteAsync(piece.AsMemory(0, read), cancellation);
            onBytes(target.Length);
        }
    }

    /// <summary>Where in the file the response begins: at the offset asked for, or at 0 with a server that ignores ranges.</summary>
    private long Begin(HttpResponseMessage response, long offset)
    {
        var (range, length) = (response.Content.Headers.ContentRange, response.Content.Headers.ContentLength);
        if (response.StatusCode == HttpStatusCode.RequestedRangeNotSatisfiable)
            throw new CorruptFileException($"the server has fewer than {offset + 1} bytes of it");
        var isPart = response.StatusCode == HttpStatusCode.PartialContent;
        var isCompressed = response.Content.Headers.ContentEncoding.Count > 0;
        if (isPart && isCompressed) throw new CorruptFileException("the server responds with a part of a compressed file");
        var begin = isPart ? range?.From ?? -1 : 0;
        if (begin != 0 && begin != offset)
            throw new CorruptFileException($"the server responds from byte {begin} on, not {offset}");
        if (file.SizeBytes is not { } size || isCompressed) return begin;
        return range?.Length is { } whole && whole != size || length is { } rest && begin + rest != size
            ? throw new CorruptFileException($"the server's has {range?.Length ?? begin + length} bytes instead of {size}")
            : begin;
    }
}

/// <summary>What came is not the file: it has another length or another checksum, so what lies on disk is of no use.</summary>
internal sealed class CorruptFileException(string problem) : Exception(problem);
