using System.IO.MemoryMappedFiles;

namespace DeRa.Torch.Weights;

/// <summary>A memory-mapped safetensors file. Reading may happen on any thread until it is disposed.</summary>
internal sealed unsafe class SafetensorsFile : IDisposable
{
    private readonly MemoryMappedFile _map;
    private readonly MemoryMappedViewAccessor _view;
    private readonly byte* _start;

    private SafetensorsFile(string path, IReadOnlyList<StoredTensor> tensors)
    {
        (Path, Tensors) = (path, tensors);
        _map = MemoryMappedFile.CreateFromFile(path, FileMode.Open, mapName: null, capacity: 0, MemoryMappedFileAccess.Read);
        _view = _map.CreateViewAccessor(0, 0, MemoryMappedFileAccess.Read);
        _view.SafeMemoryMappedViewHandle.AcquirePointer(ref _start);
    }

    /// <summary>The file.</summary>
    public string Path { get; }

    /// <summary>Its tensors, in the header's order.</summary>
    public IReadOnlyList<StoredTensor> Tensors { get; }

    /// <summary>Checks the header and maps the file.</summary>
    /// <exception cref="CheckpointException">The file cannot be read or its header is broken.</exception>
    public static SafetensorsFile Open(string path)
    {
        try
        {
            return new SafetensorsFile(path, SafetensorsHeader.Read(path));
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw new CheckpointException(path, "cannot be read: " + exception.Message, exception);
        }
    }

    /// <summary>Bytes of the map: a window into a tensor's data.</summary>
    /// <param name="tensor">One of <see cref="Tensors"/>.</param>
    /// <param name="offsetBytes">Where the window begins within the tensor's data.</param>
    /// <param name="lengthBytes">Its length.</param>
    public ReadOnlySpan<byte> Bytes(StoredTensor tensor, long offsetBytes, int lengthBytes)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(offsetBytes);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(offsetBytes + lengthBytes, tensor.LengthBytes);
        return new(_start + _view.PointerOffset + tensor.OffsetBytes + offsetBytes, lengthBytes);
    }

    /// <summary>Copies all that comes before the data: length and header.</summary>
    public void CopyHeader(Stream target)
    {
        var length = Tensors.Count > 0 ? Tensors.Min(tensor => tensor.OffsetBytes) : new FileInfo(Path).Length;
        target.Write(new ReadOnlySpan<byte>(_start + _view.PointerOffset, checked((int)length)));
    }

    /// <summary>Unmaps the file.</summary>
    public void Dispose()
    {
        _view.SafeMemoryMappedViewHandle.ReleasePointer();
        _view.Dispose();
        _map.Dispose();
    }
}
