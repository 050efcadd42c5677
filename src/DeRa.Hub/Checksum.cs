using System.Buffers;
using System.Security.Cryptography;
using System.Text;

namespace DeRa.Hub;

/// <summary>
/// The Hub's entity tags, which are checksums: SHA-256 of the content for files in large-file storage, and git's hash
/// (SHA-1 of "blob", the length, a zero byte, the content) for the others. Lower-case hexadecimal.
/// </summary>
internal static class Checksum
{
    private const int GitDigits = 40, Sha256Digits = 64, PieceBytes = 1 << 20;
    private static readonly SearchValues<char> HexadecimalDigits = SearchValues.Create("0123456789abcdef");

    /// <summary>Whether the tag is one of the two.</summary>
    public static bool IsKnown(string etag) => IsGitHash(etag) || IsHexadecimal(etag, Sha256Digits);

    /// <summary>Whether the text has the form of a git object's name, such as a commit's.</summary>
    public static bool IsGitHash(string text) => IsHexadecimal(text, GitDigits);

    /// <summary>Whether a file's content is the one that the tag stands for.</summary>
    public static async Task<bool> MatchesAsync(string path, string etag, CancellationToken cancellation)
    {
        await using var file = new FileStream(
            path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite, PieceBytes, FileOptions.SequentialScan | FileOptions.Asynchronous);
        var digest = etag.Length == Sha256Digits
            ? await SHA256.HashDataAsync(file, cancellation)
            : await GitHashAsync(file, cancellation);
        return Convert.ToHexStringLower(digest) == etag;
    }

    private static async Task<byte[]> GitHashAsync(FileStream file, CancellationToken cancellation)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA1);
        hash.AppendData(Encoding.ASCII.GetBytes($"blob {file.Length}\0"));
        var piece = new byte[PieceBytes];
        while (await file.ReadAsync(piece, cancellation) is > 0 and var read) hash.AppendData(piece, 0, read);
        return hash.GetHashAndReset();
    }

    private static bool IsHexadecimal(string text, int digits) =>
        text.Length == digits && !text.AsSpan().ContainsAnyExcept(HexadecimalDigits);
}
