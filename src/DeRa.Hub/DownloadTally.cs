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
        lock (_gate) _total += files.Sum(file => file.SizeBytes ?? 0);
    }

    /// <summary>Says that a file is there, whose length the server may not have reported.</summary>
    /// <param name="file">The file.</param>
    /// <param name="bytes">Its length.</param>
    /// <param name="wasThere">Whether it was all along: that is not reported.</param>
    public void Finish(RemoteFile file, long bytes, bool wasThere = false)
    {
        lock (_gate) _total += file.SizeBytes is null ? bytes : 0;
        Set(file with { SizeBytes = bytes }, bytes, wasThere);
    }

    /// <summary>Says how much of a file is there.</summary>
    public void Set(RemoteFile file, long bytes) => Set(file, bytes, wasThere: false);

    private void Set(RemoteFile file, long bytes, bool wasThere)
    {
        lock (_gate)
        {
            _downloaded += bytes - _bytes.GetValueOrDefault(file.Path);
            _bytes[file.Path] = bytes;
            if (!wasThere) progress?.Report(new DownloadProgress(model, file.Path, bytes, file.SizeBytes, _downloaded, _total));
        }
    }
}
