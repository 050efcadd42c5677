using System.IO.Compression;
using System.Runtime.InteropServices;

namespace DeRa.Gateway.Keys;

/// <summary>Unpacks a message of gRPC, to read its key. What cannot be unpacked is passed on all the same: the replica says so.</summary>
internal static class CompressedMessage
{
    private const int PieceBytes = 16 << 10;

    /// <summary>The message; null = it is malformed, longer than the limit, or packed in another way.</summary>
    /// <param name="packed">The message as it came.</param>
    /// <param name="encoding">How it is packed, as <c>grpc-encoding</c> names it.</param>
    /// <param name="most">Bytes that it may have; no more are unpacked than a piece beyond them.</param>
    public static ReadOnlyMemory<byte>? Unpack(ReadOnlyMemory<byte> packed, string? encoding, int most)
    {
        if (!MemoryMarshal.TryGetArray(packed, out var bytes)) bytes = packed.ToArray();
        using var source = new MemoryStream(bytes.Array!, bytes.Offset, bytes.Count, writable: false);
        using Stream? unpacking = encoding switch
        {
            "gzip" => new GZipStream(source, CompressionMode.Decompress),
            "deflate" => new ZLibStream(source, CompressionMode.Decompress),
            _ => null,
        };
        return unpacking is null ? null : Unpack(unpacking, most);
    }

    private static ReadOnlyMemory<byte>? Unpack(Stream unpacking, int most)
    {
        var unpacked = new MemoryStream();
        var piece = new byte[PieceBytes];
        try
        {
            while (unpacking.Read(piece) is var read and > 0)
            {
                if (unpacked.Length + read > most) return null;
                unpacked.Write(piece, 0, read);
            }
        }
        catch (InvalidDataException)
        {
            return null;
        }
        return unpacked.GetBuffer().AsMemory(0, (int)unpacked.Length);
    }
}
