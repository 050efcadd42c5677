using System.Security.Cryptography;
using System.Text;

namespace DeRa.Hosting.Security;

/// <summary>
/// How keys are stored: as SHA-256. A slow, salted hash protects what people think up and can be guessed; a key of 256 random
/// bits cannot be guessed at any speed, and a slow hash would only let anybody keep the server busy with wrong keys.
/// </summary>
public static class KeyHash
{
    /// <summary>What a hash begins with in a file.</summary>
    public const string Scheme = "sha256$";

    /// <summary>What keys made here begin with, by which scanners for leaked secrets know them.</summary>
    public const string KeyPrefix = "dera-";

    /// <summary>A new key: 256 random bits.</summary>
    public static string NewKey() => KeyPrefix + RandomNumberGenerator.GetHexString(2 * SHA256.HashSizeInBytes, lowercase: true);

    /// <summary>The hash of a key, 32 bytes.</summary>
    public static byte[] Of(string key) => SHA256.HashData(Encoding.UTF8.GetBytes(key));

    /// <summary>The hash as a file holds it.</summary>
    public static string Text(byte[] hash) => Scheme + Convert.ToHexStringLower(hash);

    /// <summary>Reads what <see cref="Text"/> writes; null where it is anything else.</summary>
    public static byte[]? Parse(string text)
    {
        var hash = new byte[SHA256.HashSizeInBytes];
        return text.Length == Scheme.Length + 2 * hash.Length && text.StartsWith(Scheme, StringComparison.Ordinal)
            && Convert.FromHexString(text.AsSpan(Scheme.Length), hash, out _, out _) == System.Buffers.OperationStatus.Done ? hash : null;
    }

    /// <summary>Whether a name may stand in a key file, in logs and in metrics: 1 to 64 letters, digits, '.', '_' or '-'.</summary>
    public static bool IsName(string name) => name.Length is > 0 and <= 64
        && name.All(letter => char.IsAsciiLetterOrDigit(letter) || letter is '.' or '_' or '-');
}
