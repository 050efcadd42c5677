using System.Buffers;
using System.Security.Cryptography;
using System.Text;

namespace DeRa.Hub;

/// <summary>
/// The Hub's entity tags, which are checksums: SHA-256 of the content for files in large-file storage, and git's hash
/// (SHA-1 of "blob", the length, a zero byte, the content) for the others. Lower-case hexadecimal. What has a git hash's form
/// may be another SHA-1 from an artifact proxy: that of the content alone; or the git hash of the pointer that stands for a
/// large file in its repository, from a mirror whose listing leaves the large file's own checksum out.
/// </summary>
internal static class Checksum
{
    private const int GitDigits = 40, Sha256Digits = 64, PieceBytes = 1 << 20;
    private static readonly SearchValues<char> HexadecimalDigits = SearchValues.Create("0123456789abcdef");

    /// <summary>Whether the tag is one of these.</summary>
    public static bool IsKnown(string etag) => IsGitHash(etag) || IsHexadecimal(etag, Sha256Digits);

    /// <summary>Whether the text has the form of a git object's name, such as a commit's.</summary>
    public static bool IsGitHash(string text) => IsHexadecimal(text, GitDigits);

    /// <summary>Whether a file's content is the one that the tag stands for.</summary>
    public static async Task<bool> MatchesAsync(string path, string etag, CancellationToken cancellation)
    {
        await using var file = new FileStream(
            path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite, PieceBytes, FileOptions.SequentialScan | FileOptions.Asynchronous);
        if (etag.Length == Sha256Digits) return Convert.ToHexStringLower(await SHA256.HashDataAsync(file, cancellation)) == etag;
        return (await Sha1sAsync(file, cancellation)).Contains(etag);
    }

    private static async Task<IReadOnlyList<string>> Sha1sAsync(FileStream file, CancellationToken cancellation)
    {
        using var git = BeginGitHash(file.Length);
        using var plain = IncrementalHash.CreateHash(HashAlgorithmName.SHA1);
        using var large = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        var piece = new byte[PieceBytes];
        while (await file.ReadAsync(piece, cancellation) is > 0 and var read)
            foreach (var hash in (IncrementalHash[])[git, plain, large]) hash.AppendData(piece, 0, read);
        var pointer = Encoding.ASCII.GetBytes("version https://git-lfs.github.com/spec/v1\noid sha256:"
            + $"{Convert.ToHexStringLower(large.GetHashAndReset())}\nsize {file.Length}\n");
        using var ofPointer = BeginGitHash(pointer.Length);
        ofPointer.AppendData(pointer);
        return [.. ((IncrementalHash[])[git, plain, ofPointer]).Select(hash => Convert.ToHexStringLower(hash.GetHashAndReset()))];
    }

    private static IncrementalHash BeginGitHash(long length)
    {
        var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA1);
        hash.AppendData(Encoding.ASCII.GetBytes($"blob {length}\0"));
        return hash;
    }

    private static bool IsHexadecimal(string text, int digits) =>
        text.Length == digits && !text.AsSpan().ContainsAnyExcept(HexadecimalDigits);
}
