using System.Security.Cryptography;
using System.Text;

namespace DeRa.Lab.Training;

/// <summary>Tells texts of one run from those of another, so that a run is resumed with its own only.</summary>
internal static class Fingerprint
{
    private const int Bytes = 8;

    /// <summary>The first 8 bytes of SHA-256 over the texts, in hexadecimal.</summary>
    public static string Of(IEnumerable<string> texts) =>
        Convert.ToHexString(SHA256.HashData(Encoding.UTF8.GetBytes(string.Join('\0', texts))).AsSpan(0, Bytes));
}
