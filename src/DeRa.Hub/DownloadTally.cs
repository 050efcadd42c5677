namespace DeRa.Hub;

/// <summary>Adds up the files of one model and reports. Any thread.</summary>
internal sealed class DownloadTally(string model, IProgress<DownloadProgress>? progress)
{
    private readonly Lock _gate = new();
    private readonly Dictionary<string, long> _bytes = [];
    private long _downloaded, _total;

    /// <summary>Counts files that are wanted.</summary>
    public void Expect(IEnumerable<RemoteFile> files)
    {
        lock (_gate) _total += files.Sum(file => file.SizeBytes);
    }

    /// <summary>Says how much of a file is there; tells nobody of files that were there all along.</summary>
    public void Set(RemoteFile file, long bytes, bool wasThere = false)
    {
        lock (_gate)
        {
            _downloaded += bytes - _bytes.GetValueOrDefault(file.Path);
            _bytes[file.Path] = bytes;
            if (!wasThere) progress?.Report(new DownloadProgress(model, file.Path, bytes, file.SizeBytes, _downloaded, _total));
        }
    }
}
