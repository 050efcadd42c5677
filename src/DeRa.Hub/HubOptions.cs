using System.Text.RegularExpressions;

namespace DeRa.Hub;

/// <summary>
/// Where models come from and where they are kept; the names and defaults are those of Python's huggingface_hub. A class
/// and no record, so that no text of it holds the token.
/// </summary>
public sealed partial class HubOptions
{
    /// <summary>The Hub itself; another where a mirror is used (<c>HF_ENDPOINT</c>).</summary>
    public Uri Endpoint { get; init; } = new("https://huggingface.co");

    /// <summary>
    /// The cache shared with Python: <c>HF_HUB_CACHE</c>, else <c>HF_HOME/hub</c>, else <c>huggingface/hub</c> in
    /// <c>XDG_CACHE_HOME</c> or <c>~/.cache</c>.
    /// </summary>
    public required string CacheFolder { get; init; }

    /// <summary><c>HF_TOKEN</c>, else what <c>HF_HOME/token</c> holds; null = none. Sent to <see cref="Endpoint"/>'s host alone.</summary>
    public string? Token { get; init; }

    /// <summary>Whether only the cache may be used (<c>HF_HUB_OFFLINE</c>).</summary>
    public bool IsOffline { get; init; }

    /// <summary>Files downloaded at once, at least 1.</summary>
    public int ParallelFiles { get; init; } = 4;

    /// <summary>Reads the environment of this process.</summary>
    /// <exception cref="HubException">A variable cannot be used; the message names it.</exception>
    public static HubOptions FromEnvironment() => FromEnvironment(
        Environment.GetEnvironmentVariable,
        // Verified, a home that is not there (a container's user has none) would be "": a cache beside whatever folder we run in.
        Environment.GetFolderPath(Environment.SpecialFolder.UserProfile, Environment.SpecialFolderOption.DoNotVerify));

    /// <inheritdoc cref="FromEnvironment()"/>
    /// <param name="variable">Gives a variable's value; null where it is not set.</param>
    /// <param name="userFolder">What <c>~</c> stands for.</param>
    internal static HubOptions FromEnvironment(Func<string, string?> variable, string userFolder)
    {
        var home = Folder("HF_HOME") ?? Path.Combine(Folder("XDG_CACHE_HOME") ?? Path.Combine(userFolder, ".cache"), "huggingface");
        return new HubOptions
        {
            Endpoint = ReadEndpoint(Set("HF_ENDPOINT") ?? "https://huggingface.co"),
            CacheFolder = Folder("HF_HUB_CACHE") ?? Folder("HUGGINGFACE_HUB_CACHE") ?? Path.Combine(home, "hub"),
            Token = ReadToken("HF_TOKEN", Set("HF_TOKEN") ?? Set("HUGGING_FACE_HUB_TOKEN"))
                ?? ReadTokenFile(Folder("HF_TOKEN_PATH") ?? Path.Combine(home, "token")),
            IsOffline = IsTrue(Set("HF_HUB_OFFLINE") ?? Set("TRANSFORMERS_OFFLINE")),
        };

        string? Set(string name) => variable(name) is { Length: > 0 } value ? value : null;

        string? Folder(string name) => Set(name) switch
        {
            null => null,
            "~" => userFolder,
            ['~', '/' or '\\', .. var rest] => Path.Combine(userFolder, Expanded(rest)),
            var path => Expanded(path),
        };

        string Expanded(string path) => VariablePattern().Replace(path, match => variable(match.Groups[1].Value + match.Groups[2].Value) ?? match.Value);
    }

    private static Uri ReadEndpoint(string text) =>
        Uri.TryCreate(text.TrimEnd('/'), UriKind.Absolute, out var uri) && uri.Scheme is "http" or "https"
            ? uri
            : throw new HubException($"HF_ENDPOINT is '{text}'; it must be an http or https address.");

    private static string? ReadTokenFile(string path)
    {
        try
        {
            return File.Exists(path) ? ReadToken(path, File.ReadAllText(path)) : null;
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw new HubException($"{path}: the Hub's token cannot be read: {exception.Message}", exception);
        }
    }

    /// <summary>The token itself stays out of the message: it may be a real one with a slip in it.</summary>
    private static string? ReadToken(string source, string? text)
    {
        var token = text?.Trim();
        if (string.IsNullOrEmpty(token)) return null;
        return token.All(c => c is > ' ' and <= '~')
            ? token
            : throw new HubException($"{source}: the Hub's token holds a character that no token has (a space, a line break, …).");
    }

    [GeneratedRegex(@"\$(?:(\w+)|\{(\w+)\})")]
    private static partial Regex VariablePattern();

    private static bool IsTrue(string? value) => value?.ToUpperInvariant() is "1" or "ON" or "YES" or "TRUE";
}
