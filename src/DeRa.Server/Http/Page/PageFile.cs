using System.Reflection;
using System.Security.Cryptography;
using Microsoft.Net.Http.Headers;

namespace DeRa.Server.Http.Page;

/// <summary>A file of the web page, from the program's own resources.</summary>
/// <param name="Name">Its name, which is the last part of its path.</param>
/// <param name="Content">Its bytes.</param>
internal sealed record PageFile(string Name, byte[] Content)
{
    /// <summary>The file that <c>/</c> responds with.</summary>
    public const string Index = "index.html";

    private const string Prefix = "Page/";

    /// <summary>All of them, by name.</summary>
    public static IReadOnlyList<PageFile> All { get; } = [.. Read()];

    /// <summary>What browsers are told that it is.</summary>
    public string ContentType { get; } = Path.GetExtension(Name) switch
    {
        ".html" => "text/html; charset=utf-8",
        ".css" => "text/css; charset=utf-8",
        ".js" => "text/javascript; charset=utf-8",
        ".svg" => "image/svg+xml",
        var other => throw new NotSupportedException($"{Name}: what is a file that ends with '{other}'?"),
    };

    /// <summary>Another one where the content is another.</summary>
    public EntityTagHeaderValue Tag { get; } = new($"\"{Convert.ToHexStringLower(SHA256.HashData(Content).AsSpan(0, 12))}\"");

    private static IEnumerable<PageFile> Read()
    {
        var program = Assembly.GetExecutingAssembly();
        foreach (var name in program.GetManifestResourceNames().Order(StringComparer.Ordinal))
        {
            if (!name.StartsWith(Prefix, StringComparison.Ordinal)) continue;
            using var stream = program.GetManifestResourceStream(name)!;
            var content = new byte[stream.Length];
            stream.ReadExactly(content);
            yield return new PageFile(name[Prefix.Length..], content);
        }
    }
}
