using System.Buffers;
using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;
using System.Text.Unicode;

namespace DeRa.Gateway.Keys;

/// <summary>
/// What requests must share to find each other's blocks in a cache: the model's name, without a strength; the salt; and the first bytes of
/// the prompt or of the messages. The strength is no part of it: what one strength has read serves every other.
/// </summary>
/// <param name="prefixBytes">Bytes of the prompt that count, at least 1.</param>
public sealed class RoutingKey(int prefixBytes)
{
    private readonly byte[] _prefix = new byte[prefixBytes];
    private int _length;

    /// <summary>The model's name as the request has it; a strength after <c>@</c> is dropped.</summary>
    public string Model { get; set; } = "";

    /// <summary>The cache's salt.</summary>
    public string Salt { get; set; } = "";

    /// <summary>Whether there is a prompt. Without one there is nothing to share.</summary>
    public bool HasPrefix => _length > 0;

    /// <summary>Whether more text would change nothing.</summary>
    public bool IsFull => _length == _prefix.Length;

    /// <summary>Adds text of the prompt; what is beyond the first bytes does not count.</summary>
    public void Add(ReadOnlySpan<char> text)
    {
        if (IsFull) return;
        var status = Utf8.FromUtf16(text, _prefix.AsSpan(_length), out _, out var written);
        // A character that does not fit is left out whole, and nothing comes after it.
        _length = status == OperationStatus.DestinationTooSmall ? _prefix.Length : _length + written;
    }

    /// <summary>Adds bytes of the prompt.</summary>
    public void Add(ReadOnlySpan<byte> bytes)
    {
        var taken = Math.Min(bytes.Length, _prefix.Length - _length);
        bytes[..taken].CopyTo(_prefix.AsSpan(_length));
        _length += taken;
    }

    /// <summary>Ends a part: <c>ab</c>, <c>c</c> is not <c>a</c>, <c>bc</c>.</summary>
    public void EndPart() => Add([(byte)0]);

    /// <summary>The key.</summary>
    public ulong Hash()
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        var at = Model.LastIndexOf('@');
        hash.AppendData(Encoding.UTF8.GetBytes(at < 0 ? Model : Model[..at]));
        hash.AppendData([0]);
        hash.AppendData(Encoding.UTF8.GetBytes(Salt));
        hash.AppendData([0]);
        hash.AppendData(_prefix.AsSpan(0, _length));
        return BinaryPrimitives.ReadUInt64LittleEndian(hash.GetHashAndReset());
    }
}
