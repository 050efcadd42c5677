using System.Security.Cryptography;
using System.Text;

namespace DeRa.Lab.Training;

/// <summary>Identifies the texts and models of a run, so that it is only resumed with the same ones.</summary>
internal static class Fingerprint
{
    private const int Bytes = 8;

    /// <summary>The first 8 bytes of SHA-256 over the texts, in hexadecimal.</summary>
    public static string Of(IEnumerable<string> texts) =>
        Convert.ToHexString(SHA256.HashData(Encoding.UTF8.GetBytes(string.Join('\0', texts))).AsSpan(0, Bytes));

    /// <summary>The same of the weights in a model's folder.</summary>
    public static string OfWeights(string folder)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        var piece = new byte[1 << 20];
        foreach (var path in Directory.GetFiles(folder, "*.safetensors").Order(StringComparer.Ordinal))
        {
            using var file = File.OpenRead(path);
            while (file.Read(piece) is > 0 and var read) hash.AppendData(piece, 0, read);
        }
        return Convert.ToHexString(hash.GetHashAndReset().AsSpan(0, Bytes));
    }
}
