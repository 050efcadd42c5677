using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.RegularExpressions;

namespace DeRa.Hub;

/// <summary>
/// What a server reports about a file. The Hub reports everything in its listing; mirrors and artifact proxies leave some of it out,
/// or put it into headers of their own.
/// </summary>
/// <param name="Checksum">See <see cref="Hub.Checksum"/>.</param>
/// <param name="SizeBytes">The file's length.</param>
/// <param name="Tag">Whatever else changes with the content: an entity tag that is no checksum, or a time.</param>
/// <param name="Commit">The commit that the file is of: 40 hexadecimal digits.</param>
internal sealed partial record FileFacts(string? Checksum = null, long? SizeBytes = null, string? Tag = null, string? Commit = null)
{
    /// <summary>Whether they suffice to check that a download is whole and right.</summary>
    public bool AreComplete => Checksum is not null && SizeBytes is not null;

    /// <summary>Whether they suffice at least to check that a download is whole.</summary>
    public bool Suffice => Checksum is not null || SizeBytes is not null;

    /// <summary>Reads the response to a request for the file.</summary>
    /// <param name="response">Its headers.</param>
    /// <param name="isHub">
    /// Whether a Hub or a mirror responds. Of the storage that it redirects to only the length counts: its tags may look like
    /// checksums and be none of the content.
    /// </param>
    public static FileFacts Of(HttpResponseMessage response, bool isHub)
    {
        var tag = Header("ETag");
        return new FileFacts(
            isHub ? ReadChecksum(Header("X-Linked-Etag")) ?? ReadChecksum(Header("X-Checksum-Sha256"))
                ?? (tag?.Trim('"') == Header("X-Xet-Hash") ? null : ReadChecksum(tag)) ?? ReadChecksum(Header("X-Checksum-Sha1")) : null,
            Size(long.TryParse(Header("X-Linked-Size"), CultureInfo.InvariantCulture, out var linked) ? linked : ContentLength()),
            tag ?? response.Content.Headers.LastModified?.ToString("O", CultureInfo.InvariantCulture),
            Header("X-Repo-Commit") is { } commit && Hub.Checksum.IsGitHash(commit) ? commit : null);

        // Some servers say 0 to a HEAD instead of leaving it out; no file of a model is empty.
        long? ContentLength() => response.IsSuccessStatusCode && response.Content.Headers.ContentEncoding.Count == 0
            && response.Content.Headers.ContentLength is > 0 and var length ? length : null;

        string? Header(string name) => response.Headers.TryGetValues(name, out var values) ? values.First() : null;
    }

    /// <summary>The same, with what is not known here taken from others.</summary>
    public FileFacts Or(FileFacts others) =>
        new(Checksum ?? others.Checksum, SizeBytes ?? others.SizeBytes, Tag ?? others.Tag, Commit ?? others.Commit);

    /// <summary>The file; these facts must suffice.</summary>
    /// <param name="path">Its path.</param>
    /// <param name="commit">What the tag is of, for a name that no other content has.</param>
    public RemoteFile ToFile(string path, string commit) =>
        new(path, Checksum ?? "unchecked-" + Fingerprint(commit, path, Tag ?? "", $"{SizeBytes}"), SizeBytes);

    /// <summary>40 hexadecimal digits that stand for texts.</summary>
    public static string Fingerprint(params IEnumerable<string> texts) =>
        Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(string.Join('\0', texts))))[..40];

    /// <summary>A length that a file can have; else null.</summary>
    public static long? Size(long? bytes) => bytes is >= 0 and <= RemoteFile.LongestBytes ? bytes : null;

    /// <summary>
    /// The checksum in an entity tag, whatever is written around it: quotes, a weak tag's W/, Nexus' <c>{SHA1{…}}</c>, what web
    /// servers add to tags of compressed responses. Null where there is none.
    /// </summary>
    public static string? ReadChecksum(string? tag) =>
        tag is not null && TagPattern().Match(tag) is { Success: true } match ? match.Groups[1].Value.ToLowerInvariant() : null;

    [GeneratedRegex(
        """\A(?:W/)?"?(?:\{SHA1\{|\{SHA256\{|sha1:|sha256:)?([0-9a-f]{64}|[0-9a-f]{40})(?:\}\})?(?:[-;]+[a-z]{2,7})?"?\z""",
        RegexOptions.IgnoreCase)]
    private static partial Regex TagPattern();
}
